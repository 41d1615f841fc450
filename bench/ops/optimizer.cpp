#include "bench/ops/large_cases.h"
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

ParameterRange parameters(Run& run, const cases::OptimizerCase& c) {
  ParameterRange range;
  range.n = c.n;
  range.master = run.updates(DType::f32, c.n);
  range.gradient = run.reads(c.gradient, c.n);
  range.gradient_dtype = c.gradient;
  range.momentum = run.updates(DType::f32, c.n);
  if (c.copy) range.copy = run.writes(DType::bf16, c.n);
  return range;
}

void sgd(Run& run, const cases::OptimizerCase& c) {
  const ParameterRange range = parameters(run, c);
  const StepState* state = run.step_state();
  run.moves_again(0);
  run.time([&] { run.kernels.sgd_update({}, range, c.nesterov, state); });
}

void adamw(Run& run, const cases::OptimizerCase& c) {
  ParameterRange range = parameters(run, c);
  range.second_moment = run.updates(DType::f32, c.n, 0, 1);
  const StepState* state = run.step_state();
  run.time([&] { run.kernels.adamw_update({}, range, 0.9F, 0.999F, 1e-8F, state); });
}

void norm(Run& run, const cases::OptimizerCase& c) {
  const void* gradient = run.reads(c.gradient, c.n);
  StepState* state = run.step_state();
  const Launch launch = run.launch(run.kernels.gradient_norm_workspace(c.n));
  run.time([&] { run.kernels.gradient_norm(launch, c.n, c.gradient, gradient, true, state); });
}

void judge(Run& run, int rows) {
  const float* loss = run.reads(DType::f32, rows);
  StepState* state = run.step_state();
  run.time([&] { run.kernels.judge_step({}, rows, loss, state); });
}

}  // namespace

void add_optimizer(Suite& suite) {
  for (const cases::OptimizerCase& c : suite.pick(network_optimizers(), cases::optimizer_cases(), large_optimizers())) {
    suite.add("optimizer", "sgd", c.id, c.gradient, [c](Run& run) { sgd(run, c); });
    suite.add("optimizer", "adamw", c.id, c.gradient, [c](Run& run) { adamw(run, c); });
    suite.add("optimizer", "gradient_norm", std::to_string(c.n), c.gradient, [c](Run& run) { norm(run, c); });
  }
  suite.add("optimizer", "judge_step", std::to_string(network_batch) + " rows", DType::f32,
            [](Run& run) { judge(run, network_batch); });
}

}  // namespace retort::bench
