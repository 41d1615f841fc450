// What a TST step does to its images, for a batch of CIFAR's.
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

constexpr int height = 32, width = 32, channels = 3;

struct Batch {
  int rows = 0;
  std::int64_t numbers() const { return std::int64_t{rows} * height * width * channels; }
};

void affine_forward(Run& run, Batch b) {
  const float *x = run.reads(DType::f32, b.numbers(), 0, 1), *theta = run.reads(DType::f32, 6L * b.rows);
  float* y = run.writes(DType::f32, b.numbers());
  run.time([&] { run.kernels.affine_sample_forward({}, b.rows, height, width, channels, x, theta, y); });
}

void affine_backward(Run& run, Batch b) {
  const float *x = run.reads(DType::f32, b.numbers(), 0, 1), *theta = run.reads(DType::f32, 6L * b.rows);
  const float* dy = run.reads(DType::f32, b.numbers());
  float* dtheta = run.writes(DType::f32, 6L * b.rows);
  run.time([&] { run.kernels.affine_sample_backward({}, b.rows, height, width, channels, x, theta, dy, dtheta); });
}

void colour(Run& run, Batch b, bool backward) {
  ColourFilterShape shape{b.rows, height, width, channels};
  shape.weight_gradient = false;  // the encoders are frozen
  const float *x = run.reads(DType::f32, b.numbers(), 0, 1), *how = run.reads(DType::f32, 2L * b.rows);
  const float* weight = run.reads(DType::f32, shape.weights());
  run.computes(2.0 * static_cast<double>(b.numbers()) * shape.weights() / channels, DType::f32);
  if (!backward) {
    float* y = run.writes(DType::f32, b.numbers());
    const Launch launch = run.launch(run.kernels.colour_filter_workspace(shape));
    return run.time([&] { run.kernels.colour_filter_forward(launch, shape, x, how, weight, y); });
  }
  const float* dy = run.reads(DType::f32, b.numbers());
  float* dhow = run.writes(DType::f32, 2L * b.rows);
  const Launch launch = run.launch(run.kernels.colour_filter_workspace(shape));
  run.time([&] { run.kernels.colour_filter_backward(launch, shape, x, how, weight, dy, dhow, nullptr); });
}

void blend(Run& run, Batch b, bool backward) {
  BlendShape shape;
  shape.rows = b.rows;
  shape.numbers = b.numbers() / b.rows;
  shape.channels = channels;
  BlendedVersions versions;
  versions.count = 4;
  const float* x = run.reads(DType::f32, b.numbers(), 0, 1);
  const float* share = run.reads(DType::f32, 4L * b.rows, 0, 1);
  for (int k = 0; k < versions.count; ++k) versions.version[k] = run.reads(DType::f32, b.numbers(), 0, 1);
  if (!backward) {
    float* y = run.writes(DType::f32, b.numbers());
    return run.time([&] { run.kernels.blend_forward({}, shape, versions, x, share, y); });
  }
  const float* dy = run.reads(DType::f32, b.numbers());
  for (int k = 0; k < versions.count; ++k) versions.dversion[k] = run.writes(DType::f32, b.numbers());
  float* dshare = run.writes(DType::f32, 4L * b.rows);
  run.time([&] { run.kernels.blend_backward({}, shape, versions, x, share, dy, dshare); });
}

void fixed(Run& run, Batch b, bool equalizes) {
  const StepState* state = run.step_state();
  const float* x = run.reads(DType::f32, b.numbers(), 0, 1);
  float* y = run.writes(DType::f32, b.numbers());
  run.time([&] {
    if (equalizes) return run.kernels.equalize({}, b.rows, height, width, channels, x, y);
    run.kernels.cutout({}, b.rows, height, width, channels, height / 2, state, x, y);
  });
}

}  // namespace

void add_learned_augmentation(Suite& suite) {
  for (const int rows : {network_batch, 8 * network_batch}) {
    const Batch b{rows};
    const std::string id = std::to_string(rows) + " of 32x32x3";
    const auto add = [&](const char* pass, const std::function<void(Run&)>& body) {
      suite.add("learned_augmentation", pass, id, DType::f32, body);
    };
    add("affine_sample_forward", [b](Run& run) { affine_forward(run, b); });
    add("affine_sample_backward", [b](Run& run) { affine_backward(run, b); });
    add("colour_filter_forward", [b](Run& run) { colour(run, b, false); });
    add("colour_filter_backward", [b](Run& run) { colour(run, b, true); });
    add("blend_forward", [b](Run& run) { blend(run, b, false); });
    add("blend_backward", [b](Run& run) { blend(run, b, true); });
    add("equalize", [b](Run& run) { fixed(run, b, true); });
    add("cutout", [b](Run& run) { fixed(run, b, false); });
  }
}

}  // namespace retort::bench
