#include "distill/trial_steps.h"

#include "distill/forward_input.h"

#include <algorithm>

namespace retort {
namespace {

/// The rows of that many batches; the data begin again where they end.
std::vector<std::int32_t> first_batches(int count, int batch, int batches) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(batch) * static_cast<std::size_t>(batches));
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<std::int32_t>(i % static_cast<std::size_t>(count));
  return rows;
}

}  // namespace

TrialSteps::TrialSteps(const RunOptions& o, const Dataset& data, int steps, bool record, const LineSink& say)
    : options_(o),
      context_(device_of(o.device), precision_of(o.precision, device_of(o.device))),
      task_(make_task(data)),
      train_(context_, data, data.train),
      network_(make_network(o.net, input_of(data), task_->outputs())),
      step_(context_),
      training_(context_) {
  plan_ = step_plan_of(o, data);
  network_->parameters().materialise(context_, o.seed, Trainable::yes, plan_.optimizer.moments());
  if (!o.teacher_net.empty()) {
    teacher_ = std::make_unique<Teacher>(
        context_, make_network(o.teacher_net, input_of(data), task_->outputs()),
        o.fold_teacher != "off");
  }
  plan_.network = network_.get();
  plan_.teacher = teacher_.get();
  plan_.task = task_.get();
  plan_.data = &train_;
  plan_.batch = std::min(o.batch, data.train.count());
  plan_.record = plan_.record && record;
  // As many rows as the steps take: the epoch is that long.
  runner_ = std::make_unique<StepRunner>(context_, plan_, plan_.batch * steps);
  for (DeviceStep* s : {&step_, &training_}) {
    s->host.weight_decay = static_cast<float>(o.weight_decay);
    s->host.clip_norm = static_cast<float>(o.clip_norm);
    s->host.confidence_threshold = static_cast<float>(o.confidence);
    s->host.random_share = static_cast<float>(o.random_share);
    s->push();
  }
  runner_->begin_epoch(first_batches(data.train.count(), plan_.batch, steps),
                       std::vector<StepRates>(static_cast<std::size_t>(steps),
                                              {static_cast<float>(o.lr), static_cast<float>(o.momentum)}));
  plans_ = std::make_unique<RunPlans>(context_.device(), o, std::string{}, say);
  plans_->measure([&] {
    context_.begin_measuring();
    forward_macs_ = macs_of(*network_);
    if (teacher_) teacher_forward_macs_ = macs_of(teacher_->network());
    context_.begin_measuring();
    one_step();
  });
  context_.end_measuring();
  context_.clear_macs();
}

void TrialSteps::one_step() {
  if (options_.regulation == "compact") {
    runner_->train_compact(plan_.batch, step_, training_);
  } else {
    runner_->train(plan_.batch, step_);
  }
}

void TrialSteps::wait() {
  RETORT_BACKEND(context_.device(), synchronize(context_.launch()));
}

double TrialSteps::macs_of(Network& network) {
  const std::vector<std::int32_t> rows(static_cast<std::size_t>(plan_.batch));
  context_.clear_macs();
  Tape tape(context_, Tape::Recording::off);
  const Batch batch = train_.batch(rows.data(), plan_.batch, {}, step_.device());
  network.forward(tape, forward_input(tape, batch, step_.device()), ForwardMode::evaluation());
  return context_.macs() / plan_.batch;
}

}  // namespace retort
