#include "bench/ops/loss_operands.h"
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

void cross_entropy(Run& run, const cases::LossCase& c) {
  const LossOperands o(run, c.rows, c.classes, c.scoring_only);
  const float* logits = run.reads(DType::f32, std::int64_t{c.rows} * c.classes, -4, 4);
  const std::int32_t* labels = run.integers(c.rows, c.classes);
  run.time([&] {
    run.kernels.regulated_cross_entropy({}, c.rule, c.rows, c.classes, c.smoothing, logits, labels, o.samples, o.state,
                                        o.out, o.gradient);
  });
}

void divide(Run& run, const cases::LossCase& c) {
  const std::int32_t* participates = run.integers(c.rows, 2);
  const StepState* state = run.step_state();
  // Zeros: any other gradient would overflow, scaled again and again in its place.
  float* gradient = run.updates(DType::f32, std::int64_t{c.rows} * c.classes, 0, 0);
  run.time([&] { run.kernels.divide_by_participants({}, c.rows, c.classes, participates, state, gradient); });
}

}  // namespace

void add_regulation(Suite& suite) {
  for (const cases::LossCase& c : suite.pick(network_losses(), cases::loss_cases())) {
    suite.add("regulation", "cross_entropy", c.id, DType::f32, [c](Run& run) { cross_entropy(run, c); });
    const std::string rows = std::to_string(c.rows) + " rows of " + std::to_string(c.classes);
    suite.add("regulation", "divide_by_participants", rows, DType::f32, [c](Run& run) { divide(run, c); });
  }
}

}  // namespace retort::bench
