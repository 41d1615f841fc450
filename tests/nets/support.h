// What the tests of networks share: values in and out of a context, and one training step written out in the engine's
// low-level calls.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/losses.h"
#include "engine/optimizer.h"
#include "nets/network.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {

/// A tensor on the context's device, rounded to the dtype.
inline Tensor upload(Context& context, const Shape& shape, DType dtype, const Values& values) {
  REQUIRE(static_cast<std::int64_t>(values.size()) == shape.count());
  Tensor tensor = context.make(shape, dtype, "test");
  const std::vector<std::uint8_t> bytes = encode(dtype, values);
  copy_to_device(context, bytes.data(), tensor);
  return tensor;
}

inline Values download(Context& context, const Tensor& tensor) {
  std::vector<std::uint8_t> bytes(tensor.bytes());
  copy_to_host(context, tensor, bytes.data());
  return decode(tensor.dtype(), bytes);
}

inline Values to_values(const std::vector<float>& floats) {
  return {floats.begin(), floats.end()};
}

/// A StepState in the memory of the device.
class StateOnDevice {
 public:
  explicit StateOnDevice(Context& context) : context_(context), block_(context.device(), sizeof(StepState)) { set({}); }
  StepState* get() const { return static_cast<StepState*>(block_.data()); }
  void set(const StepState& state) { copy_to_device(context_, &state, view()); }
  StepState read() const {
    StepState state;
    copy_to_host(context_, view(), &state);
    return state;
  }

 private:
  Tensor view() const { return {Shape{sizeof(StepState)}, DType::u8, context_.device(), block_.data()}; }
  Context& context_;
  DeviceBlock block_;
};

/// The least height and width of images that a network takes.
inline int smallest_side(const std::string& net) {
  return net == "lenet-gaze" ? 16 : net.starts_with("lenet") ? 12 : 8;
}

/// One batch on the host; images NHWC.
struct HostBatch {
  Values images, labels, teacher_logits;
  int rows = 0;
};

inline HostBatch random_batch(ImageFormat format, int rows, int classes, std::uint32_t stream) {
  const auto pixels = static_cast<std::size_t>(rows * format.height * format.width * format.channels);
  HostBatch batch;
  batch.rows = rows;
  batch.images = normal_values(pixels, stream);
  batch.labels = random_integers(static_cast<std::size_t>(rows), stream + 1, static_cast<std::uint32_t>(classes));
  batch.teacher_logits = normal_values(static_cast<std::size_t>(rows * classes), stream + 2, DType::f32, 0, 3);
  return batch;
}

/// A network that trains by distillation, with everything a step needs.
class Trained {
 public:
  Trained(Device device, Precision precision, const std::string& name, ImageFormat format, int classes,
          std::uint32_t seed = 1, Trainable trainable = Trainable::yes)
      : context(device, precision), network(make_network(name, format, classes)), state(context) {
    network->parameters().materialise(context, seed, trainable);
    StepState initial;
    initial.learning_rate = 0.05F;
    initial.weight_decay = 5e-4F;
    state.set(initial);
  }

  ParameterStore& parameters() { return network->parameters(); }
  Var images(Tape& tape, const Values& values, int rows, bool requires_grad = false) {
    const ImageFormat f = network->input();
    return tape.variable(upload(context, {rows, f.height, f.width, f.channels}, context.activation_dtype(), values),
                         requires_grad, "images");
  }
  Var forward(Tape& tape, const Var& images, ForwardMode mode, Taps* taps = nullptr, const Var& auxiliary = nullptr) {
    ForwardInput input;
    input.images = images;
    input.auxiliary = auxiliary;
    return network->forward(tape, input, mode, taps);
  }

  struct StepResult {
    Values logits, loss;
    std::vector<const void*> addresses;  ///< of some of the step's tensors
  };

  /// Forward and backward pass, optimizer, commit.
  StepResult step(const HostBatch& batch) {
    StepState before = state.read();
    before.divisor = static_cast<float>(batch.rows);
    state.set(before);
    parameters().begin_step();
    Tape tape(context);
    const Var x = images(tape, batch.images, batch.rows);
    const Tensor labels = upload(context, {batch.rows}, DType::i32, batch.labels);
    const Tensor samples = upload(context, {batch.rows}, DType::i32, Values(batch.labels.size()));
    const Tensor teacher = upload(context, {batch.rows, network->classes()}, DType::f32, batch.teacher_logits);
    const Var logits = forward(tape, x, ForwardMode::training());
    const DistillationReport report =
        distillation_loss(tape, logits, teacher, labels, samples, {}, state.get(), {}, {0.9F, 4.0F});
    tape.backward();
    optimizer_step(context, parameters(), {}, report.rows.loss, state.get());
    StepOutcome outcome;
    outcome.rows = batch.rows;
    outcome.loss = report.rows.loss.f32();
    outcome.correct = report.rows.correct.i32();
    outcome.participates = report.rows.participates.i32();
    outcome.samples = samples.i32();
    outcome.buffers = parameters().buffers();
    outcome.pending_buffers = parameters().pending_buffers();
    outcome.buffer_count = parameters().buffer_elements();
    RETORT_LAUNCH(context, 0, commit_step, outcome, state.get());
    StepResult result{download(context, logits->value), download(context, report.rows.loss), {}};
    result.addresses = {x->value.data(), labels.data(), logits->value.data(), report.rows.loss.data()};
    return result;
  }

  /// One field of all parameters, by name.
  std::map<std::string, Values> fields(ParameterStore::Field field) {
    std::map<std::string, Values> out;
    for (std::size_t i = 0; i < parameters().parameter_count(); ++i) {
      out[parameters().specs()[i].name] = to_values(parameters().read(i, field));
    }
    return out;
  }
  std::map<std::string, Values> gradients() {
    parameters().finish_gradients();
    return fields(ParameterStore::Field::gradient);
  }
  /// Parameters and buffers in force, by name.
  std::map<std::string, Values> saved() {
    std::map<std::string, Values> out = fields(ParameterStore::Field::value);
    for (std::size_t i = 0; i < parameters().buffer_specs().size(); ++i) {
      out[parameters().buffer_specs()[i].name] = to_values(parameters().read_buffer(i));
    }
    return out;
  }

  Context context;
  std::unique_ptr<Network> network;
  StateOnDevice state;
};

/// All entries one after another.
inline Values concatenated(const std::map<std::string, Values>& named) {
  Values all;
  for (const auto& [name, values] : named) all.insert(all.end(), values.begin(), values.end());
  return all;
}

/// Every parameter and buffer with its logical shape: "conv1.weight [6, 1, 5, 5]".
inline std::vector<std::string> keys_with_shapes(const Network& network) {
  std::vector<std::string> keys;
  for (const ParameterSpec& spec : network.parameters().specs()) keys.push_back(spec.name + " " + spec.logical.str());
  for (const BufferSpec& spec : network.parameters().buffer_specs()) keys.push_back(spec.name + " " + spec.shape.str());
  return keys;
}

inline constexpr ImageFormat grey28{28, 28, 1};
inline constexpr ImageFormat colour32{32, 32, 3};

}  // namespace retort::test
