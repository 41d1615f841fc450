#include "bench/step/bench_step.h"
#include "distill/device_step.h"
#include "engine/losses.h"
#include "engine/optimizer.h"
#include "engine/recorded_steps.h"
#include "kernels/philox.h"

namespace retort::bench {
namespace {

/// A batch's operand in memory of the device, outside of the arena, which is measured around it.
struct Operand {
  DeviceBlock block;
  Tensor tensor;

  Operand(Context& context, Shape shape, DType dtype, const void* host)
      : block(context.device(), static_cast<std::size_t>(shape.count()) * size_of(dtype)),
        tensor(shape, dtype, context.device(), block.data()) {
    copy_to_device(context, host, tensor);
  }
};

std::vector<float> uniform(std::int64_t n, std::uint32_t seed, float low, float high) {
  std::vector<float> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = low + (high - low) * to_uniform(philox(seed, Purpose::synthetic, i, 0, 0).v[0]);
  }
  return values;
}

Operand images_of(Context& context, const StepArguments& a) {
  const ImageFormat input = a.input();
  const Shape shape{a.batch, input.height, input.width, input.channels};
  const std::vector<float> pixels = uniform(shape.count(), 1, -1, 1);
  if (context.activation_dtype() == DType::f32) return {context, shape, DType::f32, pixels.data()};
  std::vector<bfloat16> narrow;
  for (const float pixel : pixels) narrow.emplace_back(pixel);
  return {context, shape, DType::bf16, narrow.data()};
}

Operand numbers_of(Context& context, int rows, int modulus) {
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(rows));
  for (int i = 0; i < rows; ++i) numbers[static_cast<std::size_t>(i)] = i % modulus;
  return {context, {rows}, DType::i32, numbers.data()};
}

class GivenLogitsStep : public BenchStep {
 public:
  GivenLogitsStep(Context& context, const StepArguments& a)
      : context_(context),
        recorded_(context, a.graph != "off"),
        network_(make_network(a.net, a.input(), a.classes())),
        state_(context),
        images_(images_of(context, a)),
        teacher_logits_(context, {a.batch, a.classes()}, DType::f32,
                        uniform(std::int64_t{a.batch} * a.classes(), 2, 0, 4).data()),
        labels_(numbers_of(context, a.batch, a.classes())),
        samples_(numbers_of(context, a.batch, a.batch)) {
    network_->parameters().materialise(context, 1);
    state_.host.learning_rate = 0.05F;
    state_.host.weight_decay = 5e-4F;
    state_.host.divisor = static_cast<float>(a.batch);
    state_.push();
  }

  void run() override {
    recorded_.run("step", images_.tensor.shape().at(0), [this] { step(); });
  }

  bool applied() override {
    state_.pull();
    return state_.host.verdict == static_cast<std::int32_t>(StepVerdict::applied);
  }

  std::size_t recorded_launches() const override { return recorded_.launches("step", images_.tensor.shape().at(0)); }
  const Network& student() const override { return *network_; }

 private:
  void step() {
    network_->parameters().begin_step();
    Tape tape(context_);
    const Var output = network_->forward(tape, {tape.variable(images_.tensor, false), samples_.tensor, state_.device()},
                                         ForwardMode::training());
    const auto report = distillation_loss(tape, output, teacher_logits_.tensor, labels_.tensor, samples_.tensor, {},
                                          state_.device(), {}, {});
    tape.backward();
    optimizer_step(context_, network_->parameters(), {}, report.rows.loss, state_.device());
  }

  Context& context_;
  RecordedSteps recorded_;
  std::unique_ptr<Network> network_;
  DeviceStep state_;
  Operand images_, teacher_logits_, labels_, samples_;
};

}  // namespace

std::unique_ptr<BenchStep> make_given_logits_step(Context& context, const StepArguments& arguments) {
  return std::make_unique<GivenLogitsStep>(context, arguments);
}

}  // namespace retort::bench
