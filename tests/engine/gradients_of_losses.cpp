// The losses deliver the gradient of sum(participates loss) / divisor.
#include <doctest/doctest.h>

#include "engine/losses.h"
#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {

/// GPUs compute a row's loss in fp32. One rounding of 2^-24 in a divergence, times T^2 = 16, over the divisor 8 and a step
/// of 1/32, is 4e-6 in a difference; eight of them are 3e-4 of gradients of 0.1. (tests/kernels is far stricter.)
double tolerance_of(Device device) {
  return device == Device::cpu ? 3e-5 : 3e-4;
}
constexpr int rows = 6, classes = 5;

struct Batch {
  Tensor labels, samples;
  DeviceState state;

  Batch(Device device, float threshold)
      : labels(device_tensor(device, {rows}, DType::i32, {0, 4, 2, 2, 1, 3})),
        samples(device_tensor(device, {rows}, DType::i32, {3, 1, 4, 15, 9, 2})),
        state(device, make(threshold)) {}
  static StepState make(float threshold) {
    StepState state;
    state.divisor = 8;
    state.seed = 5;
    state.confidence_threshold = threshold;
    state.random_share = 0.5F;
    return state;
  }
};

/// What the loss should be, from its report; counts participants.
double masked(const RowReport& report, const LossOptions& options, int* participants) {
  const Values loss = host_values(report.loss), mask = host_values(report.participates);
  const double count = dot(mask, Values(mask.size(), 1));
  *participants = static_cast<int>(count);
  return dot(loss, mask) / (options.divide_by_participants ? std::max(1.0, count) : 8);
}

Operand logits() {
  Operand operand = activation({rows, classes}, 1);
  for (double& value : operand.values) value *= 3;
  // Rows 2 and 5 are right and sure of it.
  operand.values[2 * classes + 2] = 7;
  operand.values[5 * classes + 3] = 8;
  return operand;
}

const LossOptions everything[] = {{}, {{}, 0.1F}, {{}, 0, true}};
const LossOptions regulated[] = {
    {{Participation::regulated, Confidence::max_probability}, 0, false},
    {{Participation::regulated, Confidence::margin}, 0.2F, false},
    {{Participation::regulated, Confidence::entropy}, 0, true},
    {{Participation::random, Confidence::max_probability}, 0, false},
};

/// Runs the check for conventional training (all rows) and under every rule (some rows).
template <typename Loss>
void check_loss(const std::string& what, Device device, const Operand& output, float threshold, const Loss& loss) {
  const Batch batch(device, threshold);
  const auto check = [&](const LossOptions& options, bool all) {
    int participants = 0;
    const Objective objective = [&](Tape& tape, const std::vector<Var>& v) {
      const RowReport report = loss(tape, v[0], batch, options);
      return tape.context().measuring() ? 0.0 : masked(report, options, &participants);
    };
    check_gradients(what, device, {output}, objective, tolerance_of(device));
    CHECK(participants > 0);
    CHECK((participants == rows) == all);
  };
  for (const LossOptions& options : everything) check(options, true);
  for (const LossOptions& options : regulated) check(options, false);
}

}  // namespace

BACKEND_TEST("gradients: regulated_cross_entropy under every rule") {
  check_loss("cross entropy", backend.device, logits(), 0.8F,
             [](Tape& tape, const Var& v, const Batch& batch, const LossOptions& options) {
               return regulated_cross_entropy(tape, v, batch.labels, batch.samples, batch.state.data(), options);
             });
}

BACKEND_TEST("gradients: distillation_loss under every rule, with and without weights") {
  const Tensor teacher = device_tensor(backend.device, {rows, classes}, normal_values(rows * classes, 9));
  const Tensor weights = device_tensor(backend.device, {rows}, {0.5, 1, 2, 1.5, 0.25, 1});
  for (const Tensor& w : {Tensor(), weights}) {
    for (const DistillationWeights& distillation : {DistillationWeights{0.9F, 4}, {0, 1}, {1, 2}, {0.5F, 1}}) {
      check_loss("distillation", backend.device, logits(), 0.8F,
                 [&](Tape& tape, const Var& v, const Batch& batch, const LossOptions& options) {
                   LossOptions plain = options;
                   plain.label_smoothing = 0;
                   return distillation_loss(tape, v, teacher, batch.labels, batch.samples, w, batch.state.data(), plain,
                                            distillation)
                       .rows;
                 });
    }
  }
}

BACKEND_TEST("gradients: regulated_squared_error under every rule") {
  Operand prediction = activation({rows, classes}, 1);
  Values targets = prediction.values;
  for (std::size_t i = 0; i < targets.size(); ++i)
    targets[i] += (i / classes % 2 == 0 ? 0.2 : 1.5) * (i % 2 == 0 ? 1 : -1);
  const Tensor target = device_tensor(backend.device, {rows, classes}, targets);
  check_loss("squared error", backend.device, prediction, 0.8F,
             [&](Tape& tape, const Var& v, const Batch& batch, const LossOptions& options) {
               return regulated_squared_error(tape, v, target, batch.samples, batch.state.data(), options);
             });
}

BACKEND_TEST("gradients: gaussian_loss under every rule, with and without teacher and weights") {
  constexpr int targets = 2;
  Operand student = activation({rows, 2 * targets}, 1);
  // Half of the rows are sure and right.
  Values target(rows * targets);
  for (int i = 0; i < rows; ++i) {
    for (int d = 0; d < targets; ++d) {
      target[i * targets + d] = student.values[i * 2 * targets + d] + (i % 2 == 0 ? 0.1 : 1.5);
      student.values[i * 2 * targets + targets + d] = i % 2 == 0 ? -1.5 : 0.3;
    }
  }
  const Tensor wanted = device_tensor(backend.device, {rows, targets}, target);
  const Tensor taught = device_tensor(backend.device, {rows, 2 * targets}, normal_values(rows * 2 * targets, 9));
  const Tensor some = device_tensor(backend.device, {rows}, {0.5, 1, 2, 1.5, 0.25, 1});
  for (const Tensor& teacher : {Tensor(), taught}) {
    for (const Tensor& weights : {Tensor(), some}) {
      check_loss("gaussian", backend.device, student, 0.8F,
                 [&](Tape& tape, const Var& v, const Batch& batch, const LossOptions& options) {
                   return gaussian_loss(tape, v, teacher, wanted, {}, batch.samples, weights, batch.state.data(),
                                        options, 0.7F)
                       .rows;
                 });
    }
  }
}

BACKEND_TEST("gradients: contrary_loss") {
  const Batch batch(backend.device, 0.8F);
  Operand operand = activation({rows, classes}, 1);
  const Objective objective = [&](Tape& tape, const std::vector<Var>& v) {
    const Tensor loss = contrary_loss(tape, v[0], batch.labels, 8);
    return tape.context().measuring() ? 0.0 : dot(host_values(loss), Values(rows, 1)) / 8;
  };
  check_gradients("contrary", backend.device, {operand}, objective, tolerance_of(backend.device));
}

BACKEND_TEST("losses: scoring delivers no gradient and gives the same rows") {
  const Batch batch(backend.device, 0.8F);
  Context context(backend.device);
  const LossOptions options = regulated[0];
  Tape training(context), scoring(context, Tape::Recording::off);
  const Var trained = leaf(device_tensor(backend.device, {rows, classes}, logits().values));
  const Var scored = leaf(trained->value, false);
  const auto run = [&](Tape& tape, const Var& v) {
    return regulated_cross_entropy(tape, v, batch.labels, batch.samples, batch.state.data(), options);
  };
  const RowReport expected = run(training, trained);
  CHECK(trained->parts.size() == 1);
  for (const RowReport& report : {run(scoring, trained), run(training, scored)}) {
    check_equal("loss", host_values(report.loss), host_values(expected.loss));
    check_equal("confidence", host_values(report.confidence), host_values(expected.confidence));
    check_equal("correct", host_values(report.correct), host_values(expected.correct));
    check_equal("participates", host_values(report.participates), host_values(expected.participates));
  }
  CHECK(trained->parts.size() == 1);
  CHECK(scored->parts.empty());
}

}  // namespace retort::test
