#include "bench/ops/large_cases.h"
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

constexpr int data_set = 50000;

/// A batch of images with their labels.
void batch(Run& run, const cases::AugmentCase& c) {
  const AugmentShape& s = c.shape;
  const std::int64_t image = std::int64_t{s.height} * s.width * s.channels;
  const std::uint8_t* pixels = run.holds(DType::u8, image * c.data_set);
  run.moves(image * s.rows);
  // A partner's pixels: all of them under mixup; under cutmix the two are one image together.
  if (s.mix.kind == MixKind::mixup) run.moves(static_cast<std::int64_t>(s.mix.share * static_cast<float>(image * s.rows)));
  const std::int32_t* samples = run.integers(s.rows, c.data_set);
  BatchColumns columns;
  columns.labels_from = run.holds(DType::i32, c.data_set, 0, 10);
  columns.labels = run.writes(DType::i32, s.rows);
  run.moves(std::int64_t{s.rows} * 4);
  const StepState* state = run.step_state();
  run.moves_again(0);
  void* out = run.writes(s.dtype, std::int64_t{s.rows} * s.height * s.width * s.out_channels);
  run.time([&] { run.kernels.gather_augment({}, s, pixels, samples, columns, state, out); });
}

/// A teacher's logits out of its cache.
void floats(Run& run, int rows, int width) {
  const float* all = run.holds(DType::f32, std::int64_t{data_set} * width);
  run.moves(std::int64_t{rows} * width * 4);
  const std::int32_t* samples = run.integers(rows, data_set);
  float* out = run.writes(DType::f32, std::int64_t{rows} * width);
  run.time([&] { run.kernels.gather_floats({}, rows, width, all, samples, out); });
}

}  // namespace

void add_augmentation(Suite& suite) {
  for (const cases::AugmentCase& c :
       suite.pick(network_augmentations(), cases::augment_cases(), large_augmentations())) {
    suite.add("augmentation", "gather_augment", c.id, c.shape.dtype, [c](Run& run) { batch(run, c); });
  }
  const std::string rows = std::to_string(network_batch) + " rows";
  for (const int width : {1, 10, 100}) {
    suite.add("augmentation", "gather_floats", rows + " of " + std::to_string(width), DType::f32,
              [width](Run& run) { floats(run, network_batch, width); });
  }
}

}  // namespace retort::bench
