// ParameterStore: all parameters and buffers of one network in flat parallel ranges (master, gradient, moments, bf16
// copy; buffers in force, buffers pending), so that the optimizer is one kernel and a checkpoint one walk.
//
// A parameter has a logical shape, the one files and other frameworks see (PyTorch's: OIHW, flattened features in CHW
// order), and a storage layout, the one kernels see.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/tape.h"
#include "kernels/optimizer.h"

namespace retort {

enum class Layout {
  plain,       ///< stored as it is
  conv,        ///< logical (O, I, H, W), stored (O, H, W, I)
  flatten_chw  ///< logical (O, C H W), stored (O, H W C): a linear layer behind a flattened image
};

enum class Initializer {
  zeros,
  ones,
  normal,   ///< N(0, scale^2)
  uniform   ///< U(-scale, scale)
};

struct ParameterSpec {
  std::string name;  ///< the published state-dict key
  Shape logical;
  Layout layout = Layout::plain;
  int image_height = 1, image_width = 1;  ///< flatten_chw: the image that was flattened
  Initializer initializer = Initializer::zeros;
  float scale = 0;
};

struct BufferSpec {
  std::string name;
  Shape shape;
  float initial = 0;
  bool integer = false;  ///< written to files as int64 (num_batches_tracked)
};

enum class Trainable { no, yes };
enum class Moments { none, one, two };

class ParameterStore {
 public:
  /// Registration, before materialise(). The Var is valid at once; its tensors appear with materialise().
  Var parameter(const ParameterSpec& spec);
  /// Index of the buffer, for buffer() and pending().
  std::size_t buffer(const BufferSpec& spec);

  /// Allocates on the context's device and initialises from Philox(seed, initialise; position, index of parameter).
  /// While the context is measuring, parameters get their shapes and no memory.
  void materialise(Context& context, std::uint32_t seed, Trainable trainable = Trainable::yes,
                   Moments moments = Moments::one);
  bool materialised() const { return static_cast<bool>(master_.data()); }

  Tensor buffer_in_force(std::size_t index) const;
  Tensor buffer_pending(std::size_t index) const;

  /// Trainable elements as papers count them (buffers not included).
  std::int64_t trainable_count() const;
  std::size_t parameter_count() const { return specs_.size(); }
  const std::vector<ParameterSpec>& specs() const { return specs_; }
  const std::vector<BufferSpec>& buffer_specs() const { return buffer_specs_; }
  const Var& variable(std::size_t index) const { return variables_[index]; }

  /// The flat range for the optimizer; padding between parameters is zero and stays zero.
  ParameterRange range();
  /// The parameter that this element of the flat range belongs to.
  const std::string& name_at(std::int64_t element) const;
  float* buffers() const;
  float* pending_buffers() const;
  std::int64_t buffer_elements() const { return buffer_elements_; }

  /// Start of a step: gradients count as unwritten, pending buffers equal the ones in force.
  void begin_step();
  /// Parameters no op wrote to get a zero gradient (a frozen or unused branch).
  void finish_gradients();

  /// What one parameter owns, for files: value, gradient or moments in logical order on the host.
  enum class Field { value, gradient, momentum, second_moment };
  std::vector<float> read(std::size_t index, Field field = Field::value) const;
  /// Writes logical-order values; refreshes the bf16 copy.
  void write(std::size_t index, const std::vector<float>& logical, Field field = Field::value);
  std::vector<float> read_buffer(std::size_t index) const;
  void write_buffer(std::size_t index, const std::vector<float>& values);
  bool has(Field field) const;

 private:
  float* field_base(Field field) const;

  Context* context_ = nullptr;
  std::vector<ParameterSpec> specs_;
  std::vector<Var> variables_;
  std::vector<std::int64_t> offsets_;
  std::int64_t elements_ = 0;
  std::vector<BufferSpec> buffer_specs_;
  std::vector<std::int64_t> buffer_offsets_;
  std::int64_t buffer_elements_ = 0;
  DeviceBlock master_, gradient_, momentum_, second_moment_, copy_, buffers_, pending_;
};

}  // namespace retort
