#include "bench/ops/large_cases.h"
#include "bench/ops/loss_operands.h"
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

/// Longer rows are read again for each part of the computation.
constexpr int classes_in_registers = 1024;

void loss(Run& run, const cases::LossCase& c) {
  const std::int64_t n = std::int64_t{c.rows} * c.classes;
  const LossOperands o(run, c.rows, c.classes, c.scoring_only);
  const float* student = run.reads(DType::f32, n, -4, 4);
  const float* teacher = run.reads(DType::f32, n, -4, 4);
  const std::int32_t* labels = run.integers(c.rows, c.classes);
  const float* weights = c.weights ? run.reads(DType::f32, c.rows, 0, 1) : Pointer();
  float* cross_entropy = run.writes(DType::f32, c.rows);
  float* divergence = run.writes(DType::f32, c.rows);
  if (c.classes <= classes_in_registers) run.moves_again(0);
  run.time([&] {
    run.kernels.distillation_loss({}, c.rule, c.distillation, c.rows, c.classes, student, teacher, labels, o.samples,
                                  weights, o.state, o.out, cross_entropy, divergence, o.gradient);
  });
}

}  // namespace

void add_distillation_loss(Suite& suite) {
  for (const cases::LossCase& c : suite.pick(network_losses(), cases::loss_cases(), large_losses())) {
    suite.add("distillation_loss", "loss", c.id, DType::f32, [c](Run& run) { loss(run, c); });
  }
}

}  // namespace retort::bench
