#include "engine/losses.h"

#include "kernels/contrary_loss.h"
#include "kernels/gaussian_loss.h"
#include "kernels/squared_loss.h"

namespace retort {
namespace {

RowReport make_report(Context& context, int rows) {
  return {context.make({rows}, DType::f32, "row loss"), context.make({rows}, DType::f32, "row confidence"),
          context.make({rows}, DType::i32, "row correct"), context.make({rows}, DType::i32, "row participates"),
          {}};
}

LossRows pointers(const RowReport& report) {
  return {report.loss.f32(), report.confidence.f32(), report.correct.i32(), report.participates.i32()};
}

void check_rows(const char* loss, const Var& output, const Tensor& labels, const Tensor& samples) {
  RETORT_CHECK(output->shape().rank() == 2 && output->value.dtype() == DType::f32, loss, ": output ", output->shape());
  const std::int64_t rows = output->shape()[0];
  RETORT_CHECK(labels.shape()[0] == rows && samples.shape() == Shape({rows}), loss, ": output ", output->shape(),
               ", targets ", labels.shape(), ", samples ", samples.shape());
}

void check_labels(const char* loss, const Tensor& labels) {
  RETORT_CHECK(labels.shape().rank() == 1, loss, ": labels ", labels.shape(), ", expected one a row");
}

/// A buffer for the gradient, or the empty tensor when only scores are wanted.
Tensor gradient_buffer(Tape& tape, const Var& output) {
  if (!tape.records(output)) return {};
  return tape.context().make(output->shape(), DType::f32, "loss gradient");
}

void deliver(Tape& tape, const Var& output, Tensor gradient, const RowReport& report, const StepState* state,
             const LossOptions& options) {
  if (!gradient) return;
  if (options.divide_by_participants) {
    RETORT_LAUNCH(tape.context(), 0, divide_by_participants, output->shape().at(0), output->shape().at(1),
                  report.participates.i32(), state, gradient.f32());
  }
  tape.deliver(output, std::move(gradient));
}

float* f32_or_null(const Tensor& tensor) {
  return tensor ? tensor.f32() : nullptr;
}

}  // namespace

RowReport regulated_cross_entropy(Tape& tape, const Var& logits, const Tensor& labels, const Tensor& samples,
                                  const StepState* state, const LossOptions& options) {
  check_rows("regulated_cross_entropy", logits, labels, samples);
  check_labels("regulated_cross_entropy", labels);
  const int rows = logits->shape().at(0);
  const RowReport report = make_report(tape.context(), rows);
  Tensor gradient = gradient_buffer(tape, logits);
  RETORT_LAUNCH(tape.context(), 0, regulated_cross_entropy, options.rule, rows, logits->shape().at(1),
                options.label_smoothing, logits->value.f32(), labels.i32(), samples.i32(), state, pointers(report),
                f32_or_null(gradient));
  tape.context().count_bytes(logits->value.bytes() + gradient.bytes());
  deliver(tape, logits, std::move(gradient), report, state, options);
  return report;
}

DistillationReport distillation_loss(Tape& tape, const Var& student, const Tensor& teacher, const Tensor& labels,
                                     const Tensor& samples, const Tensor& weights, const StepState* state,
                                     const LossOptions& options, const DistillationWeights& distillation) {
  check_rows("distillation_loss", student, labels, samples);
  check_labels("distillation_loss", labels);
  RETORT_CHECK(teacher.shape() == student->shape(), "distillation_loss: student logits ", student->shape(),
               ", teacher logits ", teacher.shape());
  RETORT_CHECK(distillation.temperature > 0 && distillation.alpha >= 0 && distillation.alpha <= 1,
               "distillation_loss: temperature ", distillation.temperature, ", alpha ", distillation.alpha);
  const int rows = student->shape().at(0);
  if (weights) RETORT_CHECK(weights.shape() == Shape({rows}), "distillation_loss: weights ", weights.shape());
  Context& context = tape.context();
  const DistillationReport report{make_report(context, rows), context.make({rows}, DType::f32, "row cross entropy"),
                                  context.make({rows}, DType::f32, "row divergence")};
  Tensor gradient = gradient_buffer(tape, student);
  RETORT_LAUNCH(context, 0, distillation_loss, options.rule, distillation, rows, student->shape().at(1),
                student->value.f32(), teacher.f32(), labels.i32(), samples.i32(), f32_or_null(weights), state,
                pointers(report.rows), report.cross_entropy.f32(), report.divergence.f32(), f32_or_null(gradient));
  context.count_bytes(student->value.bytes() + teacher.bytes() + gradient.bytes());
  deliver(tape, student, std::move(gradient), report.rows, state, options);
  return report;
}

GaussianReport gaussian_loss(Tape& tape, const Var& student, const Tensor& teacher, const Tensor& targets,
                             const Tensor& labels, const Tensor& samples, const Tensor& weights, const StepState* state,
                             const LossOptions& options, float alpha) {
  check_rows("gaussian_loss", student, targets, samples);
  const int rows = student->shape().at(0);
  RETORT_CHECK(targets.shape().rank() == 2 && 2 * targets.shape()[1] == student->shape()[1], "gaussian_loss: output ",
               student->shape(), ", targets ", targets.shape());
  RETORT_CHECK(!teacher || teacher.shape() == student->shape(), "gaussian_loss: student ", student->shape(),
               ", teacher ", teacher.shape());
  RETORT_CHECK(alpha >= 0 && alpha <= 1, "gaussian_loss: alpha ", alpha);
  for (const Tensor& column : {labels, weights}) {
    RETORT_CHECK(!column || column.shape() == Shape({rows}), "gaussian_loss: ", rows, " rows, a column ",
                 column.shape());
  }
  Context& context = tape.context();
  const GaussianReport report{make_report(context, rows), context.make({rows}, DType::f32, "row square error")};
  Tensor gradient = gradient_buffer(tape, student);
  RETORT_LAUNCH(context, 0, gaussian_loss, options.rule, alpha, rows, targets.shape().at(1), student->value.f32(),
                f32_or_null(teacher), targets.f32(), labels ? labels.i32() : nullptr, samples.i32(),
                f32_or_null(weights), state, pointers(report.rows), report.square_error.f32(), f32_or_null(gradient));
  context.count_bytes(student->value.bytes() + teacher.bytes() + targets.bytes() + gradient.bytes());
  deliver(tape, student, std::move(gradient), report.rows, state, options);
  return report;
}

Tensor angular_error(Tape& tape, const Var& outputs, const Tensor& teacher, const Tensor& targets,
                     const Tensor& labels) {
  const int rows = outputs->shape().at(0);
  RETORT_CHECK(outputs->shape() == Shape({rows, 4}) && targets.shape() == Shape({rows, 2}), "angular_error: outputs ",
               outputs->shape(), ", targets ", targets.shape());
  RETORT_CHECK(!teacher || teacher.shape() == outputs->shape(), "angular_error: outputs ", outputs->shape(),
               ", teacher ", teacher.shape());
  const Tensor degrees = tape.context().make({rows}, DType::f32, "row angle");
  RETORT_LAUNCH(tape.context(), 0, angular_error, rows, outputs->value.f32(), f32_or_null(teacher), targets.f32(),
                labels ? labels.i32() : nullptr, degrees.f32());
  return degrees;
}

Tensor contrary_loss(Tape& tape, const Var& logits, const Tensor& labels, float divisor) {
  check_rows("contrary_loss", logits, labels, labels);
  check_labels("contrary_loss", labels);
  RETORT_CHECK(divisor > 0, "contrary_loss: divisor ", divisor);
  const int rows = logits->shape().at(0);
  const Tensor loss = tape.context().make({rows}, DType::f32, "row loss");
  Tensor gradient = gradient_buffer(tape, logits);
  RETORT_LAUNCH(tape.context(), 0, contrary_loss, rows, logits->shape().at(1), logits->value.f32(), labels.i32(),
                divisor, loss.f32(), f32_or_null(gradient));
  tape.context().count_bytes(logits->value.bytes() + gradient.bytes());
  if (gradient) tape.deliver(logits, std::move(gradient));
  return loss;
}

RowReport regulated_squared_error(Tape& tape, const Var& prediction, const Tensor& targets, const Tensor& samples,
                                  const StepState* state, const LossOptions& options) {
  check_rows("regulated_squared_error", prediction, targets, samples);
  RETORT_CHECK(targets.shape() == prediction->shape(), "regulated_squared_error: prediction ", prediction->shape(),
               ", targets ", targets.shape());
  const int rows = prediction->shape().at(0);
  const RowReport report = make_report(tape.context(), rows);
  Tensor gradient = gradient_buffer(tape, prediction);
  RETORT_LAUNCH(tape.context(), 0, regulated_squared_error, options.rule, rows, prediction->shape().at(1),
                prediction->value.f32(), targets.f32(), samples.i32(), state, pointers(report), f32_or_null(gradient));
  tape.context().count_bytes(prediction->value.bytes() + targets.bytes() + gradient.bytes());
  deliver(tape, prediction, std::move(gradient), report, state, options);
  return report;
}

}  // namespace retort
