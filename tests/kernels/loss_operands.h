// Operands of a loss case, a run of a loss kernel and the checks all of them share.
#pragma once

#include "tests/cases/loss_cases.h"
#include "tests/reference/loss.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {

struct LossOperands {
  Values logits, teacher, labels, samples, weights;
  StepState state;

  explicit LossOperands(const cases::LossCase& c) {
    const std::size_t n = 1UL * c.rows * c.classes;
    logits = normal_values(n, 1, DType::f32, 0, c.logit_scale);
    teacher = normal_values(n, 2, DType::f32, 0, c.logit_scale);
    labels = random_integers(c.rows, 3, c.classes);
    samples = random_integers(c.rows, 4, 50000);
    if (c.weights) weights = random_values(c.rows, 5, DType::f32, 0, 3);
    // half of the rows are made correct, some of them confidently
    for (int i = 0; i < c.rows; i += 2) logits[i * c.classes + static_cast<int>(labels[i])] += (i % 4) * 2 + 2;
    for (double& value : logits) value = round_to(DType::f32, value);
    state.confidence_threshold = c.threshold;
    state.random_share = c.random_share;
    state.divisor = c.divisor;
    state.seed = 21;
    state.epoch = 5;
  }

  Values row(const Values& of, int i, int classes) const {
    return Values(of.begin() + 1L * i * classes, of.begin() + 1L * (i + 1) * classes);
  }
};

/// What a loss kernel wrote.
struct LossResult {
  Values loss, confidence, correct, participates, gradient, cross_entropy, divergence;
};

/// Device memory for the per-row outputs and the gradient.
struct LossBuffers {
  Buffer loss, confidence, correct, participates, gradient;

  LossBuffers(const Backend& backend, int rows, std::size_t gradients)
      : loss(output(backend, DType::f32, rows)),
        confidence(output(backend, DType::f32, rows)),
        correct(output(backend, DType::i32, rows)),
        participates(output(backend, DType::i32, rows)),
        gradient(output(backend, DType::f32, gradients)) {}
  LossRows rows() const { return {loss.f32(), confidence.f32(), correct.i32(), participates.i32()}; }
  LossResult result() const {
    return {loss.values(), confidence.values(), correct.values(), participates.values(), gradient.values(), {}, {}};
  }
};

inline LossResult run_cross_entropy(const Backend& backend, const cases::LossCase& c, const LossOperands& o) {
  const Buffer logits = input(backend, DType::f32, o.logits);
  const Buffer labels = input(backend, DType::i32, o.labels);
  const Buffer samples = input(backend, DType::i32, o.samples);
  const DeviceStruct<StepState> state(backend, o.state, Buffer::Use::input);
  const LossBuffers out(backend, c.rows, c.scoring_only ? 0 : o.logits.size());
  backend.regulated_cross_entropy({}, c.rule, c.rows, c.classes, c.smoothing, logits.f32(), labels.i32(), samples.i32(),
                                  state.data(), out.rows(), c.scoring_only ? nullptr : out.gradient.f32());
  return out.result();
}

inline LossResult run_distillation(const Backend& backend, const cases::LossCase& c, const LossOperands& o,
                                   bool parts = true) {
  const Buffer student = input(backend, DType::f32, o.logits);
  const Buffer teacher = input(backend, DType::f32, o.teacher);
  const Buffer labels = input(backend, DType::i32, o.labels);
  const Buffer samples = input(backend, DType::i32, o.samples);
  const Buffer weights = input(backend, DType::f32, o.weights);
  const DeviceStruct<StepState> state(backend, o.state, Buffer::Use::input);
  const LossBuffers out(backend, c.rows, c.scoring_only ? 0 : o.logits.size());
  const Buffer cross_entropy = output(backend, DType::f32, c.rows);
  const Buffer divergence = output(backend, DType::f32, c.rows);
  backend.distillation_loss({}, c.rule, c.distillation, c.rows, c.classes, student.f32(), teacher.f32(), labels.i32(),
                            samples.i32(), c.weights ? weights.f32() : nullptr, state.data(), out.rows(),
                            parts ? cross_entropy.f32() : nullptr, parts ? divergence.f32() : nullptr,
                            c.scoring_only ? nullptr : out.gradient.f32());
  LossResult result = out.result();
  result.cross_entropy = cross_entropy.values();
  result.divergence = divergence.values();
  return result;
}

/// The largest absolute logit of a row: a logit of that size carries an error of its own rounding into every exponent.
inline double largest(const Values& z) {
  double result = 0;
  for (const double value : z) result = std::max(result, std::abs(value));
  return result;
}

/// Error of log p in fp32, absolute: a few roundings of the logits (after the division by T), and of the sum.
inline double log_error(const Values& z, double temperature = 1) {
  return 0x1p-24 * 4 * (largest(z) / temperature + 2) + 2 * sum_error(static_cast<double>(z.size()));
}

/// Confidence, correctness and participation of every row. A row whose confidence is within the error of tau may go
/// either way; what the kernel decided then also decides its gradient.
inline void check_rule(const cases::LossCase& c, const LossOperands& o, const LossResult& r) {
  for (int i = 0; i < c.rows; ++i) {
    const Values z = o.row(o.logits, i, c.classes);
    const double certain = reference::confidence(c.rule.confidence, z);
    // p <= 1, and p log p <= 1, times the error of log p; entropy sums them over the classes
    const double error = log_error(z) * (c.rule.confidence == Confidence::entropy ? 4 : 2);
    CHECK(std::abs(r.confidence[i] - certain) <= error);
    const bool correct = reference::is_correct(z, static_cast<int>(o.labels[i]));
    CHECK(r.correct[i] == correct);
    const bool close =
        c.rule.participation == Participation::regulated && correct && std::abs(certain - c.threshold) <= error;
    const bool enters = reference::participates(c.rule, o.state, static_cast<std::uint64_t>(o.samples[i]), correct,
                                                close ? r.confidence[i] : certain);
    CHECK(r.participates[i] == enters);
  }
}

}  // namespace retort::test
