#include "distill/trainer.h"

#include <chrono>
#include <iomanip>

#include "distill/calibration.h"
#include "distill/checkpoint.h"
#include "distill/interrupt.h"
#include "distill/normalisation.h"
#include "distill/predictions.h"
#include "distill/run.h"
#include "engine/atomic_file.h"

namespace retort {
namespace {

constexpr int max_skipped_in_a_row = 10;

class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

/// What the host decides for an epoch, to both states; where in it the next batch is.
void Run::send_inputs() {
  for (DeviceStep* step : {&step_, &training_step_}) {
    StepState& s = step->host;
    s.weight_decay = static_cast<float>(options_.weight_decay);
    s.clip_norm = static_cast<float>(options_.clip_norm);
    s.confidence_threshold = static_cast<float>(threshold_of(options_, state_.epoch));
    s.random_share = static_cast<float>(options_.random_share);
    s.seed = options_.seed;
    s.epoch = static_cast<std::uint32_t>(state_.epoch);
    s.batch = state_.batch;
    s.batches_waiting = state_.batches_since_step;
    step->push();
  }
  counted_ = step_.host;
  training_counted_ = training_step_.host;
}

/// Clears the totals.
void Run::begin_period() {
  for (DeviceStep* step : {&step_, &training_step_}) {
    StepState fresh;
    fresh.step = step->host.step;
    fresh.skipped_in_a_row = step->host.skipped_in_a_row;
    step->host = fresh;
  }
  send_inputs();
}

void Run::begin_epoch() {
  if (between_periods()) {
    begin_period();
  } else {
    send_inputs();
  }
}

std::vector<std::int32_t> Run::order_of(int epoch) const {
  return epoch_order(data_.train.count(), subset_, options_.seed, static_cast<std::uint32_t>(epoch),
                     options_.shuffle == "on");
}

void Run::feed_epoch() {
  const auto order = next_order_.valid() ? next_order_.get() : order_of(state_.epoch);
  // The one after it is made while this one runs.
  next_order_ = std::async(std::launch::async, [this, next = state_.epoch + 1] { return order_of(next); });
  const std::int64_t first = state_.batches - state_.batch;
  std::vector<StepRates> rates;
  for (int i = 0; i < batches_per_epoch(); ++i) {
    const double epoch = static_cast<double>(first + i) / batches_per_epoch();
    rates.push_back({static_cast<float>(schedule_.rate(epoch, options_.epochs)),
                     static_cast<float>(schedule_.momentum_at(epoch, options_.epochs))});
  }
  runner_->begin_epoch(order, rates);
}

/// How many rows of each class the batches of the period that ends here held: the last epoch may end early.
std::vector<std::int64_t> Run::rows_by_class() const {
  std::vector<std::int64_t> count(static_cast<std::size_t>(data_.classes));
  for (int epoch = (state_.epoch - 1) / options_.eval_every * options_.eval_every; epoch < state_.epoch; ++epoch) {
    const std::int64_t first = std::int64_t{epoch} * batches_per_epoch();
    const std::int64_t batches = std::min<std::int64_t>(batches_per_epoch(), total_batches() - first);
    const auto rows = static_cast<std::size_t>(std::min<std::int64_t>(samples_in_use(), batches * options_.batch));
    const auto order = order_of(epoch);
    for (std::size_t i = 0; i < rows; ++i) {
      ++count[static_cast<std::size_t>(data_.train.labels[static_cast<std::size_t>(order[i])])];
    }
  }
  return count;
}

/// Since the beginning of the run, from the counts as they were captured last.
std::vector<std::int64_t> Run::participants_by_class() const {
  std::vector<std::int64_t> count(static_cast<std::size_t>(data_.classes));
  for (std::size_t i = 0; i < state_.significance.size(); ++i) {
    count[static_cast<std::size_t>(data_.train.labels[i])] += state_.significance[i];
  }
  return count;
}

void Run::one_batch(int rows) {
  const bool recalled = mask_age() > 0;
  if (state_.regulation == "compact") {
    runner_->train_compact(rows, step_, training_step_,
                           recalled ? StepRunner::Scoring::recalled : StepRunner::Scoring::now);
  } else {
    if (transforms_) transforms_->choose(options_.seed, static_cast<std::uint32_t>(state_.epoch), state_.batch);
    runner_->train(rows, step_);
    if (teacher_ && !teacher_->cached()) state_.ledger.teacher_forward += rows * plan_.copies();
    if (transforms_) state_.ledger.mixtures += rows;
  }
  if (!recalled) (teaches() ? state_.ledger.teacher_forward : state_.ledger.student_forward) += rows * plan_.copies();
  ++state_.batch;
  ++state_.batches;
  pace_.step_launched();
  watch_for_divergence();
}

/// Waits for the device, and enters what it has counted in the ledger.
void Run::account() {
  step_.pull();
  training_step_.pull();
  watch_for_divergence();
  Ledger& ledger = state_.ledger;
  std::int64_t& forward = teaches() ? ledger.teacher_forward : ledger.student_forward;
  std::int64_t& backward = teaches() ? ledger.teacher_backward : ledger.student_backward;
  if (state_.regulation == "compact") {
    const StepState &now = training_step_.host, &before = training_counted_;
    const std::int64_t applied = now.steps_applied - before.steps_applied;
    const std::int64_t taken = applied + now.skipped - before.skipped;
    forward += taken * plan_.batch;
    backward += applied * plan_.batch;
    if (teacher_ && !teacher_->cached()) ledger.teacher_forward += taken * plan_.batch;
    ledger.flops += 2 * static_cast<double>(taken) * runner_->queued_step_macs();
    state_.batches_since_step = step_.host.batches_waiting;
  } else {
    backward += step_.host.participants - counted_.participants;
    state_.batches_since_step = 0;
  }
  // Each that was drawn counts once: compact's training steps repeat those of the scoring pass.
  ledger.mixtures += step_.host.mixtures - counted_.mixtures;
  ledger.flops += 2 * context_.macs();
  context_.clear_macs();
  counted_ = step_.host;
  training_counted_ = training_step_.host;
}

void Run::watch_for_divergence() {
  for (DeviceStep* step : {&step_, &training_step_}) {
    for (const SkippedStep& skipped : step->take_skipped()) report(skipped);
  }
}

void Run::report(const SkippedStep& step) {
  ++state_.skipped;
  const std::int64_t batch = state_.batches - state_.batch + step.batch;
  std::string what = "loss";
  if (static_cast<StepVerdict>(step.verdict) == StepVerdict::gradient_not_finite) {
    what = "gradient";
    if (step.culprit >= 0) what += " of '" + network_->parameters().name_at(step.culprit) + "'";
  }
  say_(text("batch ", batch, ": ", what, " is not finite; step skipped (", step.in_a_row, " in a row, ", state_.skipped,
            " in all)"));
  if (step.in_a_row < max_skipped_in_a_row) return;
  // A checkpoint written since the last applied step holds the parameters that led here; the one before it does not.
  finish_writing();
  if (saved_at_ >= batch - max_skipped_in_a_row) folder_.drop_checkpoint();
  fail_diverged(text(max_skipped_in_a_row, " steps in a row without a finite ", what));
}

/// Where something worse is about to be said.
void Run::finish_writing() {
  try {
    writing_.wait();
  } catch (const Error& error) {
    say_(error.what());
  }
}

void Run::fail_diverged(const std::string& what) {
  finish_writing();
  fail(ErrorKind::diverged, text("training diverged: ", what, "; ",
                                 folder_.has_checkpoint() ? text("the last good checkpoint is kept in ", folder_.path())
                                                          : std::string("there was no checkpoint yet"),
                                 " (try a lower --lr or --clip-norm)"));
}

void Run::choose_regulation() {
  if (options_.regulation != "auto" || step_.host.rows == 0) return;
  const double share = static_cast<double>(step_.host.participants) / static_cast<double>(step_.host.rows);
  Cost cost = cost_;
  if (!teacher_ || teacher_->cached()) cost.teacher_forward = 0;
  const std::string chosen = cost.compact_share(share, options_.rescore) < 0.9 ? "compact" : "mask";
  // AdamW goes on counting its steps, whichever of the two takes them.
  if (chosen != state_.regulation) {
    if (chosen == "compact") training_step_.host.step = step_.host.step;
    if (chosen == "mask") step_.host.step = training_step_.host.step;
    training_step_.host.skipped_in_a_row = 0;  // it begins, or takes no more steps
  }
  state_.regulation = chosen;
}

void Run::end_epoch() {
  ++state_.epoch;
  state_.batch = 0;
  if (between_periods()) end_period();
}

void Run::end_period() {
  Stopwatch watch;
  const bool last = state_.batches == total_batches();
  const Evaluation found = evaluator_->run(last ? &logits_ : nullptr);
  context_.clear_macs();  // evaluations do not count
  timing_.evaluation += watch.lap();

  const StepState& totals = step_.host;
  EpochRecord record;
  record.metric = task_->metric();
  record.regulation = state_.regulation;
  record.learning_rate = totals.learning_rate;
  record.threshold = totals.confidence_threshold;
  record.mask_age = options_.rescore > 1 && state_.regulation == "compact" ? (state_.epoch - 1) % options_.rescore : 0;
  const StepState& computed = record.mask_age > 0 ? training_step_.host : totals;
  record.train_loss = computed.rows > 0 ? computed.loss_sum / static_cast<double>(computed.rows) : 0;
  record.train_metric = task_->value(computed);
  record.test_loss = found.loss;
  record.test_metric = found.metric;
  record.rows = totals.rows;
  record.participants = totals.participants;
  record.steps = state_.regulation == "compact" ? training_step_.host.steps_applied : totals.steps_applied;
  record.steps_without_participants = totals.steps_without_participants;
  record.skipped = totals.skipped + training_step_.host.skipped;

  choose_regulation();
  state_.scored += totals.rows;
  state_.participants += totals.participants;
  participation_ = static_cast<double>(totals.participants) / static_cast<double>(std::max<std::int64_t>(1, totals.rows));
  state_.last = found.metric;
  const bool better = task_->higher_is_better() ? found.metric > state_.best : found.metric < state_.best;
  const bool improved = state_.best_epoch == 0 || better;
  if (improved) {
    state_.best = found.metric;
    state_.best_epoch = state_.epoch;
    TensorFile file;
    add_network(file, *network_, false);
    add_normalisation(file, normalisation_of(data_));
    file.metadata["data"] = data_.name;
    file.metadata["data_checksum"] = data_.checksum;
    file.metadata["last_metric"] = claim();
    writing_.run([this, file = std::move(file)] { write_safetensors(folder_.file("best.safetensors"), file); });
  }
  capture_state();
  if (counts_classes()) {
    const auto before = std::exchange(state_.participants_by_class, participants_by_class());
    record.rows_by_class = rows_by_class();
    record.participants_by_class = state_.participants_by_class;
    for (std::size_t c = 0; c < before.size(); ++c) record.participants_by_class[c] -= before[c];
  }
  record.epoch = state_.epoch;
  record.ledger = state_.ledger;
  record.timing = timing_;
  writing_.run([this, record] { folder_.append_metrics(record); });
  begin_period();  // clears the totals before they are saved
  if (healthy() || last) save();

  std::ostringstream line;
  line << "epoch " << state_.epoch << "/" << std::ceil(options_.epochs) << std::fixed << "  loss " << std::setprecision(4)
       << record.train_loss << "  " << task_->metric() << " " << metric_text(record.metric, record.train_metric)
       << " train, " << metric_text(record.metric, record.test_metric) << " test (best "
       << metric_text(record.metric, state_.best) << ")";
  if (options_.regulation != "off") {
    line << "  participating " << std::setprecision(1) << 100 * participation_ << " % (" << record.regulation << ", tau " << std::setprecision(2) << record.threshold;
    if (record.mask_age > 0) line << ", scored " << record.mask_age << (record.mask_age == 1 ? " epoch" : " epochs") << " ago";
    line << ")";
  }
  line << "  " << std::setprecision(1) << timing_.total() << " s";
  say_(line.str());
}

/// Of the network as it is at the end. A run that was killed between its last checkpoint and here evaluates again.
void Run::write_predictions() {
  if (logits_.empty()) evaluator_->run(&logits_);
  if (data_.classes == 0) {
    return write_file_atomically(folder_.file("calibration.json"), to_json(calibration_of(data_.test, logits_)));
  }
  write_predictions_csv(folder_.file("predictions.csv"), predictions_of(data_.test, logits_));
}

RunResult Run::result(bool finished) {
  RunResult r;
  r.finished = finished;
  r.metric = task_->metric();
  r.last = state_.last;
  r.best = state_.best;
  r.best_epoch = state_.best_epoch;
  r.train_samples = data_.train.count();
  r.samples_in_use = samples_in_use();
  r.epochs = options_.epochs;
  r.participation = state_.scored > 0 ? static_cast<double>(state_.participants) / static_cast<double>(state_.scored) : 0;
  r.teacher_metric = teacher_metric_;
  r.skipped = state_.skipped;
  r.ledger = state_.ledger;
  r.timing = timing_;
  return r;
}

Position Run::position() const {
  Position p;
  p.epoch = state_.epoch + 1;
  p.epochs = static_cast<int>(std::ceil(options_.epochs));
  p.batch = state_.batch;
  p.batches = batches_per_epoch();
  p.batches_left = total_batches() - state_.batches;
  p.images = std::min(options_.batch, samples_in_use());
  p.metric_name = task_->metric();
  if (state_.best_epoch > 0) p.metric = state_.last;
  if (options_.regulation != "off") p.participation = participation_;
  return p;
}

RunResult Run::execute() {
  const int per_epoch = batches_per_epoch();
  const std::int64_t total = total_batches();
  Stopwatch watch;
  while (state_.batches < total) {
    if (state_.batch == 0 && !run_phases()) return result(false);
    if (state_.batch == 0) begin_epoch();
    feed_epoch();
    bool stop = false, due = false;
    while (state_.batch < per_epoch && state_.batches < total && !stop) {
      one_batch(std::min(options_.batch, samples_in_use() - state_.batch * options_.batch));
      progress_.show(position());
      const bool asked = interrupted() || (options_.max_steps > 0 && state_.batches >= options_.max_steps);
      stop = asked && state_.batch < per_epoch && state_.batches < total;
      // The last batch of an epoch is saved with the epoch closed, below.
      const bool closes = state_.batch == per_epoch || state_.batches == total;
      due = options_.save_every_steps > 0 && state_.batches % options_.save_every_steps == 0;
      if (!due || stop || closes) continue;
      account();
      writing_.wait();  // so that checkpoints do not pile up where the disk is slow
      if (healthy()) save();
    }
    account();
    const double data_seconds = runner_->take_data_seconds();
    timing_.data += data_seconds;
    timing_.compute += watch.lap() - data_seconds;
    if (stop) {
      save();
      writing_.wait();
      say_(text("stopped after batch ", state_.batches, "; continue with --resume --out ", folder_.path()));
      return result(false);
    }
    writing_.wait();  // for the epoch before
    end_epoch();
    if (due && !between_periods() && healthy()) save();
    watch.lap();
    if (state_.batches < total && (interrupted() || (options_.max_steps > 0 && state_.batches >= options_.max_steps))) {
      if (!between_periods()) save();
      writing_.wait();
      say_(text("stopped after epoch ", state_.epoch, "; continue with --resume --out ", folder_.path()));
      return result(false);
    }
  }
  if (options_.regulation != "off") write_significance_csv(folder_.file("significance.csv"), significance());
  write_predictions();
  writing_.wait();
  const RunResult done = result(true);
  folder_.write_result(done);
  return done;
}

RunResult train(const RunOptions& options, bool resume, const LineSink& say) { return Run(options, resume, say).execute(); }

}  // namespace retort
