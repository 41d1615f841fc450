// The differentiable stand-ins of image operations that TST learns with (arXiv:2212.05422). An encoder reads what it
// has learned and a strength (kernels/transform_draws.h) and moves or recolours images:
//
//     geometric   6 learned values, Linear 7 -> 6: an affine map (kernels/affine_sample.h), the identity at first
//     colour      10 learned values, Linear 11 -> 2: scale and shift, then a 5x5 convolution (kernels/colour_filter.h)
//
// The published code sums two linear layers for the colours, which is one. Strengths have a sign where the operation
// goes two ways [choice: without it, no encoder could learn them].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/image_operations.h"
#include "engine/parameters.h"
#include "engine/safetensors.h"

namespace retort {

/// Deviation of the noise on what an encoder has learned.
constexpr float kEncoderNoise = 0.01F;

class Encoder {
 public:
  /// For images of so many channels.
  Encoder(Operation operation, int channels);

  Operation operation() const { return operation_; }
  bool geometric() const { return !filter_; }
  ParameterStore& parameters() { return parameters_; }
  const Var& learned() const { return learned_; }
  /// A map that changes nothing.
  void initialise(Context& context, Trainable trainable);

  /// features (N, L + 1) of images (N, H, W, C) f32: images of the same shape. Gradients to features and parameters.
  Var operator()(Tape& tape, const Tensor& images, const Var& features) const;

 private:
  Operation operation_;
  int channels_;
  ParameterStore parameters_;
  Var learned_, weight_, bias_, filter_;
};

/// One for each operation with a strength, in their order.
using Encoders = std::vector<std::unique_ptr<Encoder>>;
Encoders make_encoders(int channels);

/// "rotate.learned", "rotate.linear.weight", ..., with the metadata `retort_encoders` and `channels`.
TensorFile to_file(const Encoders& encoders, int channels);
/// Frozen, on the context's device. Throws Error(input) for another file, or one for other channels.
Encoders read_encoders(Context& context, const std::string& path, int channels);

}  // namespace retort
