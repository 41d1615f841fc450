#include "distill/tst/phase.h"

#include <algorithm>

#include "engine/losses.h"
#include "engine/optimizer.h"
#include "kernels/commit.h"

namespace retort {
namespace {

/// While it lives, no gradients go to the parameters.
class Frozen {
 public:
  explicit Frozen(ParameterStore& parameters) : parameters_(parameters) { set(false); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() { set(true); }

 private:
  void set(bool trains) {
    for (std::size_t i = 0; i < parameters_.parameter_count(); ++i) parameters_.variable(i)->requires_grad = trains;
  }
  ParameterStore& parameters_;
};

StepOutcome totals_of(const RowReport& report, const Tensor& samples) {
  StepOutcome out;
  out.rows = samples.shape().at(0);
  out.loss = report.loss.f32();
  out.correct = report.correct.i32();
  out.participates = report.participates.i32();
  out.samples = samples.i32();
  return out;
}

}  // namespace

LearningPhase::LearningPhase(Context& context, const PhasePlan& plan, int samples)
    : context_(context),
      plan_(plan),
      feed_(context, samples, plan.batch),
      teacher_step_(context),
      student_step_(context) {}

void LearningPhase::step(int rows, bool learns) {
  StepState* state = teacher_step_.device();
  const Tensor samples = context_.make({rows}, DType::i32, "samples");
  RETORT_LAUNCH(context_, 0, begin_step, feed_.tables(), rows, samples.i32(), state);
  const Batch batch = plan_.data->raw_batch(samples, plan_.augmentation, state);
  const Frozen frozen(plan_.student->parameters());
  plan_.transforms->scalars().begin_step();
  Tape tape(context_, learns ? Tape::Recording::on : Tape::Recording::off);
  const LearnedTransforms::Versions versions = plan_.transforms->versions(tape, batch.images, state);
  const Var images = blend(tape, batch.images, versions.images, versions.share, plan_.data->normalisation(),
                           context_.activation_dtype());
  const auto seen_by = [&](Network& network) {
    return network.forward(tape, {images, samples, state}, ForwardMode::evaluation());
  };
  const auto scored = [&](const Var& logits) {  // without a gradient
    return regulated_cross_entropy(tape, tape.variable(logits->value, false), batch.labels, samples, state, {});
  };
  const Var of_teacher = seen_by(*plan_.teacher), of_student = seen_by(*plan_.student);
  const RowReport teacher = learns && plan_.terms.teacher
                                ? regulated_cross_entropy(tape, of_teacher, batch.labels, samples, state, {})
                                : scored(of_teacher);
  const RowReport student = scored(of_student);
  if (learns) {
    if (plan_.terms.student) contrary_loss(tape, of_student, batch.labels, static_cast<float>(rows));
    tape.backward();
    optimizer_step(context_, plan_.transforms->scalars(), {}, teacher.loss, state);
  }
  RETORT_LAUNCH(context_, 0, commit_step, totals_of(teacher, samples), state);
  RETORT_LAUNCH(context_, 0, commit_step, totals_of(student, samples), student_step_.device());
}

void LearningPhase::measure(int rows) {
  // Of the operations those that want most: the colours' encoders have their own scratch memory.
  plan_.transforms->choose({Operation::brightness, Operation::color, Operation::contrast, Operation::sharpness});
  step(rows, true);
  plan_.transforms->choose({Operation::shear_x, Operation::shear_y, Operation::translate_x, Operation::rotate});
  step(rows, true);
}

void LearningPhase::pass(const std::vector<std::int32_t>& order, std::uint32_t epoch_key, bool learns,
                         PhaseRecord& sums) {
  const int count = static_cast<int>(order.size()), batches = (count + plan_.batch - 1) / plan_.batch;
  feed_.fill(order, std::vector<StepRates>(static_cast<std::size_t>(batches), {static_cast<float>(plan_.learning_rate),
                                                                               static_cast<float>(plan_.momentum)}));
  for (DeviceStep* step : {&teacher_step_, &student_step_}) {
    step->host = {};
    step->host.seed = plan_.seed;
    step->host.epoch = epoch_key;
    step->push();
  }
  for (int i = 0; i < batches; ++i) {
    plan_.transforms->choose(plan_.seed, epoch_key, i);
    step(std::min(plan_.batch, count - i * plan_.batch), learns);
  }
  teacher_step_.pull();
  student_step_.pull();
  sums.rows += teacher_step_.host.rows;
  sums.teacher_loss += teacher_step_.host.loss_sum;
  sums.student_loss += student_step_.host.loss_sum;
  sums.teacher_accuracy += static_cast<double>(teacher_step_.host.correct);
  sums.student_accuracy += static_cast<double>(student_step_.host.correct);
}

PhaseRecord LearningPhase::means(PhaseRecord sums) const {
  for (double* sum : {&sums.teacher_loss, &sums.student_loss, &sums.teacher_accuracy, &sums.student_accuracy}) {
    *sum /= static_cast<double>(std::max<std::int64_t>(1, sums.rows));
  }
  sums.chances = plan_.transforms->chances();
  sums.strengths = plan_.transforms->strengths();
  return sums;
}

PhaseRecord LearningPhase::epoch(const std::vector<std::int32_t>& order, std::uint32_t epoch_key) {
  PhaseRecord sums;
  pass(order, epoch_key, true, sums);
  return means(std::move(sums));
}

PhaseRecord LearningPhase::look(const std::vector<std::int32_t>& order, const std::vector<std::uint32_t>& epoch_keys) {
  PhaseRecord sums;
  sums.compares = true;
  for (const std::uint32_t key : epoch_keys) pass(order, key, false, sums);
  return means(std::move(sums));
}

}  // namespace retort
