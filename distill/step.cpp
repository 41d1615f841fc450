#include "distill/step.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "distill/forward_input.h"
#include "kernels/queue.h"
#include "kernels/recall.h"

namespace retort {
namespace {

template <typename T>
DeviceBlock zeroed(Context& context, std::int64_t n) {
  DeviceBlock block(context.device(), static_cast<std::size_t>(n) * sizeof(T));
  RETORT_BACKEND(context.device(), fill_zero(context.launch(), block.data(), block.bytes()));
  return block;
}

template <typename T>
std::vector<T> download(Context& context, const DeviceBlock& block, std::size_t n) {
  std::vector<T> host(n);
  RETORT_BACKEND(context.device(), copy_bytes(context.launch(), host.data(), block.data(), n * sizeof(T)));
  RETORT_BACKEND(context.device(), synchronize(context.launch()));
  return host;
}

template <typename T>
void upload(Context& context, const std::vector<T>& host, const DeviceBlock& block) {
  RETORT_BACKEND(context.device(), copy_bytes(context.launch(), block.data(), host.data(), host.size() * sizeof(T)));
  RETORT_BACKEND(context.device(), synchronize(context.launch()));
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

StepRunner::StepRunner(Context& context, const StepPlan& plan, int data_count)
    : context_(context),
      plan_(plan),
      data_count_(data_count),
      // At most one training step a scored batch, so the queue never holds more than two batches.
      queue_capacity_(2 * plan.batch),
      feed_(context, data_count * plan.copies(), plan.batch * plan.copies()),
      recorded_(context, plan.record),
      significance_(zeroed<std::int32_t>(context, data_count)),
      entered_(zeroed<std::uint8_t>(context, data_count)),
      judged_(zeroed<std::uint8_t>(context, data_count)),
      queue_(zeroed<std::int32_t>(context, queue_capacity_)),
      queue_count_(zeroed<std::int32_t>(context, 1)) {}

void StepRunner::begin_epoch(const std::vector<std::int32_t>& order, const std::vector<StepRates>& rates) {
  if (plan_.copies() == 1) return feed_.fill(order, rates);
  // Batch by batch: its rows, then the same again.
  std::vector<std::int32_t> doubled;
  for (std::size_t first = 0; first < order.size(); first += static_cast<std::size_t>(plan_.batch)) {
    const std::size_t end = std::min(order.size(), first + static_cast<std::size_t>(plan_.batch));
    for (int copy = 0; copy < plan_.copies(); ++copy) {
      doubled.insert(doubled.end(), order.begin() + static_cast<std::ptrdiff_t>(first),
                     order.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }
  feed_.fill(doubled, rates);
}

Tensor StepRunner::next_samples(int rows, DeviceStep& step) {
  const Tensor samples = context_.make({rows}, DType::i32, "samples");
  RETORT_LAUNCH(context_, 0, begin_step, feed_.tables(), rows, samples.i32(), step.device());
  return samples;
}

Batch StepRunner::make_batch(const Tensor& samples, const DeviceStep& step) {
  const auto start = std::chrono::steady_clock::now();
  Batch batch = plan_.data->batch(samples, plan_.augmentation, step.device());
  if (plan_.transforms != nullptr) transform_copies(batch, step.device());
  if (context_.device() == Device::cpu) {
    data_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return batch;
}

/// The second half of the batch repeats the first; it becomes what the transforms make of it.
void StepRunner::transform_copies(Batch& batch, const StepState* state) {
  const int originals = batch.rows / 2;
  const Tensor raw = plan_.data->raw_batch(batch.samples.part(0, originals), plan_.augmentation, state).images;
  Tape tape(context_, Tape::Recording::off);
  const LearnedTransforms::Versions versions = plan_.transforms->versions(tape, raw, state);
  blend_into(context_, batch.images.part(originals, originals), raw, versions.images, versions.share,
             plan_.data->normalisation());
}

Tensor StepRunner::teacher_logits(const Batch& batch, const DeviceStep& step) {
  if (plan_.teacher == nullptr) return {};
  const PhaseScope phase(context_, "teacher");
  const BranchScope branch(context_, plan_.teacher_beside && !plan_.teacher->cached());
  return plan_.teacher->logits(batch, step.device());
}

StepRunner::Outcome StepRunner::forward_backward_update(const Tensor& samples, const LossOptions& loss,
                                                        DeviceStep& step) {
  ParameterStore& parameters = plan_.network->parameters();
  const auto in_phase = [this](const char* phase, const auto& part) {
    const PhaseScope scope(context_, phase);
    return part();
  };
  const Batch batch = in_phase("data", [&] { return make_batch(samples, step); });
  const Tensor teacher = teacher_logits(batch, step);
  Tape tape(context_);
  const ForwardInput input = forward_input(tape, batch, step.device());
  const Var output = in_phase("forward", [&] {
    parameters.begin_step();
    return plan_.network->forward(tape, input, ForwardMode::training());
  });
  context_.join_branches();
  RowReport rows = in_phase("loss", [&] {
    if (!plan_.teacher) return plan_.task->loss(tape, output, {batch, step.device(), loss});
    return plan_.method->loss({tape, *plan_.task, output, teacher, {batch, step.device(), loss}, plan_.distillation});
  });
  in_phase("backward", [&] { tape.backward(); });
  in_phase("optimizer", [&] { optimizer_step(context_, parameters, plan_.optimizer, rows.loss, step.device()); });
  return {std::move(rows), samples, batch.labels};
}

void StepRunner::commit(const Outcome& outcome, bool counts_significance, bool updated, bool commits_buffers,
                        DeviceStep& step) {
  ParameterStore& parameters = plan_.network->parameters();
  StepOutcome out;
  out.rows = outcome.samples.shape().at(0);
  out.loss = outcome.rows.loss.f32();
  if (outcome.rows.error) out.error = outcome.rows.error.f32();
  out.correct = outcome.rows.correct.i32();
  out.participates = outcome.rows.participates.i32();
  out.samples = outcome.samples.i32();
  if (outcome.labels) out.labels = outcome.labels.i32();
  if (counts_significance) {
    out.significance = static_cast<std::int32_t*>(significance_.data());
    out.judged = static_cast<std::uint8_t*>(judged_.data());
  }
  if (commits_buffers) {
    out.buffers = parameters.buffers();
    out.pending_buffers = parameters.pending_buffers();
    out.buffer_count = parameters.buffer_elements();
  }
  if (updated) {
    out.entered = static_cast<std::uint8_t*>(entered_.data());
    const ParameterRange range = parameters.range();
    out.gradient = static_cast<const float*>(range.gradient);
    out.gradient_count = range.n;
  }
  out.log = step.log();
  const PhaseScope phase(context_, "optimizer");
  RETORT_LAUNCH(context_, 0, commit_step, out, step.device());
}

void StepRunner::train(int rows, DeviceStep& step) {
  recorded_.run("train", rows, [&] {
    const Outcome outcome = forward_backward_update(next_samples(rows * plan_.copies(), step), plan_.loss, step);
    commit(outcome, true, true, true, step);
  });
}

void StepRunner::score(int rows, DeviceStep& scoring) {
  const PhaseScope phase(context_, "scoring");
  const Tensor samples = next_samples(rows, scoring);
  const Batch batch = make_batch(samples, scoring);
  plan_.network->parameters().begin_step();
  Tape tape(context_, Tape::Recording::off);
  const Var output = plan_.network->forward(tape, forward_input(tape, batch, scoring.device()), plan_.scoring);
  const Outcome outcome{plan_.task->loss(tape, output, {batch, scoring.device(), plan_.loss}), samples, batch.labels};
  RETORT_LAUNCH(context_, 0, judge_step, rows, outcome.rows.loss.f32(), scoring.device());
  commit(outcome, true, false, plan_.scoring.update_statistics, scoring);
  queue_participants(samples, outcome.rows.participates, scoring);
}

void StepRunner::recall(int rows, DeviceStep& scoring) {
  const PhaseScope phase(context_, "scoring");
  const Tensor samples = next_samples(rows, scoring);
  const Tensor participates = context_.make({rows}, DType::i32, "participates");
  RETORT_LAUNCH(context_, 0, recall_participation, rows, samples.i32(),
                static_cast<const std::uint8_t*>(judged_.data()), participates.i32(), scoring.device());
  StepOutcome out;
  out.rows = rows;
  out.participates = participates.i32();
  out.samples = samples.i32();
  out.significance = static_cast<std::int32_t*>(significance_.data());
  out.log = scoring.log();
  RETORT_LAUNCH(context_, 0, commit_step, out, scoring.device());
  queue_participants(samples, participates, scoring);
}

void StepRunner::queue_participants(const Tensor& samples, const Tensor& participates, const DeviceStep& scoring) {
  RETORT_LAUNCH(context_, 0, queue_push, samples.shape().at(0), samples.i32(), participates.i32(), scoring.device(),
                static_cast<std::int32_t*>(queue_.data()), static_cast<std::int32_t*>(queue_count_.data()));
}

void StepRunner::train_queued(DeviceStep& scoring, DeviceStep& training) {
  const double before = context_.macs();
  RETORT_LAUNCH(context_, 0, begin_queued_step, plan_.batch, scoring.device(), training.device());
  const Tensor samples = context_.make({plan_.batch}, DType::i32, "samples");
  RETORT_LAUNCH(context_, 0, queue_pop, plan_.batch, static_cast<std::int32_t*>(queue_.data()),
                static_cast<std::int32_t*>(queue_count_.data()), samples.i32());
  LossOptions everyone = plan_.loss;
  everyone.rule.participation = Participation::all;
  const Outcome outcome = forward_backward_update(samples, everyone, training);
  commit(outcome, false, true, true, training);
  trained_queued_ = !context_.measuring();
  queued_step_macs_ = context_.macs() - before;
  context_.count_macs(-queued_step_macs_);
}

void StepRunner::train_compact(int rows, DeviceStep& scoring, DeviceStep& training, Scoring how) {
  const auto if_queued = [&](const std::function<void()>& part) {
    recorded_.if_at_least(static_cast<const std::int32_t*>(queue_count_.data()), plan_.batch, part);
  };
  const auto find = [&] { how == Scoring::now ? score(rows, scoring) : recall(rows, scoring); };
  const auto queued = [&] { train_queued(scoring, training); };
  if (recorded_.has_conditions()) {
    const auto both = [&] {
      find();
      if_queued(queued);
    };
    return recorded_.run(how == Scoring::now ? "compact" : "recalled compact", rows, both, trained_queued_);
  }
  recorded_.run(how == Scoring::now ? "score" : "recall", rows, find);
  if_queued([&] { recorded_.run("queued", plan_.batch, queued); });
}

std::vector<std::int32_t> StepRunner::significance() const {
  return download<std::int32_t>(context_, significance_, static_cast<std::size_t>(data_count_));
}

std::vector<std::uint8_t> StepRunner::entered() const {
  return download<std::uint8_t>(context_, entered_, static_cast<std::size_t>(data_count_));
}

std::vector<std::uint8_t> StepRunner::judged() const {
  return download<std::uint8_t>(context_, judged_, static_cast<std::size_t>(data_count_));
}

std::vector<std::int32_t> StepRunner::queue() const {
  const std::int32_t queued = download<std::int32_t>(context_, queue_count_, 1).front();
  return download<std::int32_t>(context_, queue_, static_cast<std::size_t>(queued));
}

void StepRunner::restore(const std::vector<std::int32_t>& significance, const std::vector<std::uint8_t>& entered,
                         const std::vector<std::uint8_t>& judged, const std::vector<std::int32_t>& queue) {
  RETORT_CHECK_AS(
      ErrorKind::input,
      static_cast<int>(significance.size()) == data_count_ && static_cast<int>(entered.size()) == data_count_ &&
          static_cast<int>(judged.size()) == data_count_ && static_cast<int>(queue.size()) <= queue_capacity_,
      "the checkpoint's per-sample state does not fit the ", data_count_, " training samples");
  upload(context_, significance, significance_);
  upload(context_, entered, entered_);
  upload(context_, judged, judged_);
  upload(context_, queue, queue_);
  upload(context_, std::vector<std::int32_t>{static_cast<std::int32_t>(queue.size())}, queue_count_);
}

double StepRunner::take_data_seconds() {
  return std::exchange(data_seconds_, 0.0);
}

std::string first_nonfinite_value(const Network& network) {
  const ParameterStore& store = network.parameters();
  for (std::size_t i = 0; i < store.specs().size(); ++i) {
    if (!all_finite(store.read(i))) return store.specs()[i].name;
  }
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i) {
    if (!all_finite(store.read_buffer(i))) return store.buffer_specs()[i].name;
  }
  return {};
}

}  // namespace retort
