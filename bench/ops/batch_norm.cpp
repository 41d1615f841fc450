#include "bench/ops/large_cases.h"
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

void forward(Run& run, const cases::BatchNormCase& c) {
  const BatchNormShape& s = c.shape;
  const std::int64_t n = s.rows * s.channels;
  const auto per_channel = [&](float low, float high) { return run.reads(DType::f32, s.channels, low, high); };
  BatchNormForward args;
  args.x = run.reads(s.dtype, n);
  if (c.x2) args.x2 = run.reads(s.dtype, n);
  if (c.x2) args.sum = run.writes(s.dtype, n);
  if (c.residual) args.residual = run.reads(s.dtype, n);
  args.gamma = per_channel(0.5F, 1.5F);
  args.beta = per_channel(-1, 1);
  args.running_mean = run.updates(DType::f32, s.channels);
  args.running_var = run.updates(DType::f32, s.channels, 0.5F, 2);
  args.save_mean = run.writes(DType::f32, s.channels);
  args.save_rstd = run.writes(DType::f32, s.channels);
  args.y = run.writes(s.dtype, n);
  const Launch launch = run.launch(run.kernels.batch_norm_workspace(s));
  // The statistics have to be known before the first result: x, or the sum, is read again.
  run.moves_again(c.training ? n * static_cast<std::int64_t>(size_of(s.dtype)) : 0);
  const auto kernel = c.training ? run.kernels.batch_norm_forward_training : run.kernels.batch_norm_forward_evaluation;
  run.time([&] { kernel(launch, s, args); });
}

void backward(Run& run, const cases::BatchNormCase& c) {
  const BatchNormShape& s = c.shape;
  const std::int64_t n = s.rows * s.channels;
  BatchNormBackward args;
  args.dy = run.reads(s.dtype, n);
  if (c.dy2) args.dy2 = run.reads(s.dtype, n);
  args.sum = run.reads(s.dtype, n);
  if (s.relu) args.y = run.reads(s.dtype, n);
  args.gamma = run.reads(DType::f32, s.channels, 0.5F, 1.5F);
  args.save_mean = run.reads(DType::f32, s.channels);
  args.save_rstd = run.reads(DType::f32, s.channels, 0.5F, 2);
  if (c.addend) args.dx_addend = run.reads(s.dtype, n);
  if (c.dx) args.dx = run.writes(s.dtype, n);
  if (c.dresidual) args.dresidual = run.writes(s.dtype, n);
  if (c.parameters) args.dgamma = run.writes(DType::f32, s.channels);
  if (c.parameters) args.dbeta = run.writes(DType::f32, s.channels);
  const Launch launch = run.launch(run.kernels.batch_norm_workspace(s));
  // The sums over a channel have to be known before the first gradient. The first pass leaves the gradient behind the
  // ReLU in dresidual where there is one, which the second reads in place of its parts.
  const int parts = c.dresidual ? 1 : 1 + (c.dy2 ? 1 : 0) + (s.relu ? 1 : 0);
  const int again = c.dx ? parts + (c.training ? 1 : 0) : 0;
  run.moves_again(again * n * static_cast<std::int64_t>(size_of(s.dtype)));
  const auto kernel =
      c.training ? run.kernels.batch_norm_backward_training : run.kernels.batch_norm_backward_evaluation;
  run.time([&] { kernel(launch, s, args); });
}

}  // namespace

void add_batch_norm(Suite& suite) {
  for (const cases::BatchNormCase& c :
       suite.pick(network_batch_norms(), cases::batch_norm_cases(), large_batch_norms())) {
    suite.add("batch_norm", "forward", c.id, c.shape.dtype, [c](Run& run) { forward(run, c); });
    suite.add("batch_norm", "backward", c.id, c.shape.dtype, [c](Run& run) { backward(run, c); });
  }
}

}  // namespace retort::bench
