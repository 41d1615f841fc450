// All memory is asked for before step 1.
#include "distill/run.h"

#include "distill/forward_input.h"

namespace retort {

/// Runs each kind of step once without launching anything, so that all memory is asked for before step 1.
void Run::measure_memory() {
  plans_.measure([this] {
    measure_forward_cost();
    measure_steps(plan_.batch);
  });
  try {
    context_.end_measuring();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::memory) throw;
    const int asked = plan_.batch, fits = largest_batch_that_fits();
    throw Error(ErrorKind::memory, text(error.what(), "\nbatch ", asked, " does not fit; ",
                                        fits > 0 ? text("the largest that does is --batch ", fits) : "not even 1 does"));
  }
  context_.clear_macs();
  network_->parameters().begin_step();
}

/// With the batches of the steps, so that no convolution is planned that is not run.
void Run::measure_forward_cost() {
  context_.begin_measuring();
  const std::vector<std::int32_t> rows(static_cast<std::size_t>(plan_.batch));
  const auto one_image = [&](Network& network) {
    context_.clear_macs();
    Tape tape(context_, Tape::Recording::off);
    const Batch batch = train_.batch(rows.data(), plan_.batch, {}, step_.device());
    network.forward(tape, forward_input(tape, batch, step_.device()), ForwardMode::evaluation());
    return context_.macs() / plan_.batch;
  };
  cost_.student_forward = one_image(*network_);
  if (teacher_) cost_.teacher_forward = one_image(teacher_->network());
}

void Run::measure_steps(int batch) {
  context_.begin_measuring();
  for (const int count : {batch, samples_in_use() % batch}) {
    if (count == 0) continue;
    if (phase_) phase_->measure(count);
    runner_->train(count, step_);
    if (options_.regulation == "compact" || options_.regulation == "auto") {
      runner_->train_compact(count, step_, training_step_);
      runner_->train_compact(count, step_, training_step_, StepRunner::Scoring::recalled);
    }
  }
  evaluate(context_, *network_, test_, *task_, evaluation_batch(batch));
  if (teacher_) {
    evaluate(context_, teacher_->network(), test_, *task_, evaluation_batch(batch));
    teacher_->all_logits(train_, *task_, evaluation_batch(batch));
  }
}

/// By bisection: plans differ between batch sizes, so memory is only nearly proportional.
int Run::largest_batch_that_fits() {
  const std::size_t available = context_.available_bytes();
  int fits = 0, too_large = plan_.batch;
  while (too_large - fits > 1) {
    const int batch = fits + (too_large - fits) / 2;
    plan_.batch = batch;
    runner_ = std::make_unique<StepRunner>(context_, plan_, data_.train.count());
    measure_steps(batch);
    (context_.measured_bytes() <= available ? fits : too_large) = batch;
  }
  return fits;
}

}  // namespace retort
