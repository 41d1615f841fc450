#include "distill/tst/imitation.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "distill/device_step.h"
#include "engine/losses.h"
#include "engine/ops.h"
#include "engine/optimizer.h"
#include "engine/transforms.h"
#include "kernels/philox.h"

namespace retort {
namespace {

constexpr int kStrengths = 10;
constexpr double kRateThatIsNothing = 1e-3;  // of the first
constexpr float kGrowth = 0.2F;              // share of the training

/// Images, a strength for each, and what the operation makes of them.
struct Lesson {
  std::vector<float> images, targets, strengths;
};

class Lessons {
 public:
  Lessons(Operation operation, const Dataset& data, const ImageSplit& split)
      : operation_(operation), data_(data), split_(split) {}

  std::size_t numbers() const { return static_cast<std::size_t>(data_.height) * data_.width * data_.channels; }

  /// Image rows[i] at strengths[i].
  Lesson of(const std::vector<int>& rows, std::vector<float> strengths) const {
    const std::size_t n = numbers();
    Lesson lesson{std::vector<float>(rows.size() * n), std::vector<float>(rows.size() * n), std::move(strengths)};
#pragma omp parallel for
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::uint8_t* from = split_.pixels.data() + static_cast<std::size_t>(rows[i]) * n;
      float* image = lesson.images.data() + i * n;
      for (std::size_t j = 0; j < n; ++j) image[j] = static_cast<float>(from[j]) / 255;
      apply_operation(operation_, lesson.strengths[i], data_.height, data_.width, data_.channels, image,
                      lesson.targets.data() + i * n);
    }
    return lesson;
  }

 private:
  Operation operation_;
  const Dataset& data_;
  const ImageSplit& split_;
};

float strength_of(int bin) {
  return static_cast<float>(bin) / (kStrengths - 1);
}

/// Small strengths come first: what is linear in the strength is learned from them, and an image that has moved by half its
/// width has nothing in common with one that has not, so that there is no gradient to learn from.
float growth(int step, int steps) {
  return std::min(1.0F, static_cast<float>(step + 1) / (kGrowth * static_cast<float>(steps)));
}

/// The strengths that are tried in turn, where it goes two ways with both signs.
std::vector<float> all_strengths(Operation operation) {
  std::vector<float> all;
  for (int bin = 0; bin < kStrengths; ++bin) {
    all.push_back(strength_of(bin));
    if (info_of(operation).two_ways && bin > 0) all.push_back(-strength_of(bin));
  }
  return all;
}

Tensor on_device(Context& context, const std::vector<float>& values, const Shape& shape, const char* who) {
  const Tensor tensor = context.make(shape, DType::f32, who);
  if (!context.measuring()) copy_to_device(context, values.data(), tensor);
  return tensor;
}

}  // namespace

void imitate(Context& context, Encoder& encoder, const Dataset& data, const ImitationOptions& options,
             const std::function<void(int, int)>& after_step) {
  const Lessons lessons(encoder.operation(), data, data.train);
  const int operation = static_cast<int>(encoder.operation()), count = data.train.count();
  const int batch = std::min(options.batch, count);
  const double epochs = encoder.geometric() ? options.geometric_epochs : options.colour_epochs;
  const double until_nothing = std::log(kRateThatIsNothing) / std::log(options.decay);
  const int steps = static_cast<int>(std::min(std::ceil(epochs * count / batch), until_nothing));
  const auto draw = [&](int step, int i) {
    return philox(options.seed, Purpose::imitation, static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(step),
                  static_cast<std::uint32_t>(operation));
  };
  OptimizerOptions adamw;
  adamw.kind = OptimizerKind::adamw;
  DeviceStep state(context);
  const auto one_step = [&](int step, const Lesson& lesson) {
    const Tensor images = on_device(context, lesson.images, {batch, data.height, data.width, data.channels}, "images");
    const Tensor targets =
        on_device(context, lesson.targets, {batch, static_cast<std::int64_t>(lessons.numbers())}, "targets");
    const Tensor strengths = on_device(context, lesson.strengths, {batch}, "strengths");
    const Tensor samples = context.make({batch}, DType::i32, "samples");
    state.host = {};
    state.host.seed = options.seed;
    state.host.epoch = static_cast<std::uint32_t>(step);
    state.host.step = step;
    state.host.learning_rate = static_cast<float>(options.learning_rate * std::pow(options.decay, step));
    state.host.divisor = static_cast<float>(batch);
    state.push();
    encoder.parameters().begin_step();
    Tape tape(context);
    const Var features = encoder_features(tape, encoder.learned(), strengths, operation, kEncoderNoise, state.device());
    const Var made = flatten(tape, encoder(tape, images, features));
    const RowReport rows = regulated_squared_error(tape, made, targets, samples, state.device(), {});
    tape.backward();
    optimizer_step(context, encoder.parameters(), adamw, rows.loss, state.device());
  };
  context.begin_measuring();
  one_step(0, {});
  context.end_measuring();
  std::vector<int> rows(static_cast<std::size_t>(batch));
  for (int step = 0; step < steps; ++step) {
    std::vector<float> strengths(rows.size());
    for (int i = 0; i < batch; ++i) {
      const Philox4 words = draw(step, i);
      const float sign = info_of(encoder.operation()).two_ways && words.v[2] >> 31 != 0 ? -1.0F : 1.0F;
      rows[static_cast<std::size_t>(i)] = static_cast<int>(to_below(words.v[0], static_cast<std::uint32_t>(count)));
      strengths[static_cast<std::size_t>(i)] =
          sign * growth(step, steps) * strength_of(static_cast<int>(to_below(words.v[1], kStrengths)));
    }
    one_step(step, lessons.of(rows, std::move(strengths)));
    if (after_step) after_step(step + 1, steps);
  }
  context.synchronize();
}

ImitationError imitation_error(Context& context, const Encoder& encoder, const Dataset& data, const ImageSplit& split,
                               int images) {
  const Lessons lessons(encoder.operation(), data, split);
  const std::vector<float> strengths = all_strengths(encoder.operation());
  const int batch = static_cast<int>(strengths.size());
  const Shape shape{batch, data.height, data.width, data.channels};
  const DeviceStep state(context);
  const auto made_of = [&](const Lesson& lesson) {
    Tape tape(context, Tape::Recording::off);
    const Tensor features = on_device(context, lesson.strengths, {batch}, "strengths");
    return encoder(tape, on_device(context, lesson.images, shape, "images"),
                   encoder_features(tape, encoder.learned(), features, static_cast<int>(encoder.operation()), 0,
                                    state.device()))
        ->value;
  };
  context.begin_measuring();
  made_of({});
  context.end_measuring();
  ImitationError error;
  std::vector<float> made(static_cast<std::size_t>(shape.count()));
  const int count = std::min(images, split.count());
  for (int row = 0; row < count; ++row) {
    const Lesson lesson = lessons.of(std::vector<int>(strengths.size(), row), strengths);
    copy_to_host(context, made_of(lesson), made.data());
    for (std::size_t i = 0; i < made.size(); ++i) {
      error.encoder += std::pow(made[i] - lesson.targets[i], 2);
      error.unchanged += std::pow(lesson.images[i] - lesson.targets[i], 2);
    }
  }
  const double all = static_cast<double>(made.size()) * count;
  error.encoder /= all;
  error.unchanged /= all;
  return error;
}

}  // namespace retort
