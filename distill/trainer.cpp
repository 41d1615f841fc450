#include "distill/trainer.h"

#include <chrono>
#include <iomanip>

#include "distill/checkpoint.h"
#include "distill/interrupt.h"
#include "distill/run.h"

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

void Run::begin_epoch() {
  StepState fresh;
  for (DeviceStep* step : {&step_, &training_step_}) {
    fresh.step = step->host.step;
    fresh.skipped_in_a_row = step->host.skipped_in_a_row;
    step->host = fresh;
    step->push_all();
  }
}

void Run::one_batch(const std::int32_t* samples, int rows) {
  const double epoch = static_cast<double>(state_.batches) / batches_per_epoch();
  for (DeviceStep* step : {&step_, &training_step_}) {
    StepState& s = step->host;
    s.learning_rate = static_cast<float>(schedule_.rate(epoch, options_.epochs));
    s.momentum = static_cast<float>(schedule_.momentum_at(epoch, options_.epochs));
    s.weight_decay = static_cast<float>(options_.weight_decay);
    s.clip_norm = static_cast<float>(options_.clip_norm);
    s.confidence_threshold = static_cast<float>(threshold_of(options_, state_.epoch));
    s.random_share = static_cast<float>(options_.random_share);
    s.seed = options_.seed;
    s.epoch = static_cast<std::uint32_t>(state_.epoch);
  }
  StepCount count;
  if (state_.regulation == "compact") {
    // A step that stands for several scored batches decays the weights as those batches would have.
    ++state_.batches_since_step;
    training_step_.host.weight_decay *= static_cast<float>(state_.batches_since_step);
    const auto compact = runner_->train_compact(samples, rows, step_, training_step_);
    count = compact.count;
    if (compact.stepped) {
      state_.batches_since_step = 0;
      watch_for_divergence(training_step_);
    }
    watch_for_divergence(step_);
  } else {
    count = runner_->train(samples, rows, step_);
    watch_for_divergence(step_);
  }
  Ledger& ledger = state_.ledger;
  (teaches() ? ledger.teacher_forward : ledger.student_forward) += count.forward;
  (teaches() ? ledger.teacher_backward : ledger.student_backward) += count.backward;
  ledger.teacher_forward += count.teacher_forward;
  ++state_.batch;
  ++state_.batches;
}

void Run::watch_for_divergence(const DeviceStep& step) {
  const auto verdict = static_cast<StepVerdict>(step.host.verdict);
  if (verdict == StepVerdict::applied) return;
  ++state_.skipped;
  std::string what = "loss";
  if (verdict == StepVerdict::gradient_not_finite) what = "gradient of '" + first_nonfinite_gradient(*network_) + "'";
  say_(text("batch ", state_.batches + 1, ": ", what, " is not finite; step skipped (", step.host.skipped_in_a_row,
            " in a row, ", state_.skipped, " in all)"));
  if (step.host.skipped_in_a_row < max_skipped_in_a_row) return;
  // A checkpoint written since the last applied step holds the parameters that led here; the one before it does not.
  if (saved_at_ > state_.batches - max_skipped_in_a_row) folder_.drop_checkpoint();
  fail_diverged(text(max_skipped_in_a_row, " steps in a row without a finite ", what));
}

void Run::fail_diverged(const std::string& what) const {
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
  const std::string chosen = cost.compact_share(share) < 0.9 ? "compact" : "mask";
  // AdamW goes on counting its steps, whichever of the two takes them.
  if (chosen != state_.regulation) {
    if (chosen == "compact") training_step_.host.step = step_.host.step;
    if (chosen == "mask") step_.host.step = training_step_.host.step;
  }
  state_.regulation = chosen;
}

void Run::end_epoch() {
  Stopwatch watch;
  const double macs = context_.macs();
  const Evaluation found = evaluate(context_, *network_, test_, *task_, evaluation_step_, evaluation_batch(plan_.batch));
  context_.clear_macs();
  context_.count_macs(macs);
  timing_.evaluation += watch.lap();

  const StepState& totals = step_.host;
  EpochRecord record;
  record.regulation = state_.regulation;
  record.learning_rate = totals.learning_rate;
  record.threshold = totals.confidence_threshold;
  record.train_loss = totals.rows > 0 ? totals.loss_sum / static_cast<double>(totals.rows) : 0;
  record.train_metric = task_->value(totals.loss_sum, totals.correct, totals.rows);
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
  state_.last = found.metric;
  const bool better = task_->higher_is_better() ? found.metric > state_.best : found.metric < state_.best;
  const bool improved = state_.epoch == 0 || better;
  ++state_.epoch;
  state_.batch = 0;
  if (improved) {
    state_.best = found.metric;
    state_.best_epoch = state_.epoch;
    TensorFile file;
    add_network(file, *network_, false);
    file.metadata["data"] = data_.name;
    file.metadata["data_checksum"] = data_.checksum;
    file.metadata["last_metric"] = claim();
    write_safetensors(folder_.file("best.safetensors"), file);
  }
  capture_state();
  record.epoch = state_.epoch;
  record.ledger = state_.ledger;
  record.timing = timing_;
  folder_.append_metrics(record);
  begin_epoch();  // clears the epoch's totals before they are saved
  if (healthy() || state_.batches == total_batches()) save();

  std::ostringstream line;
  line << "epoch " << state_.epoch << "/" << std::ceil(options_.epochs) << std::fixed << "  loss " << std::setprecision(4)
       << record.train_loss << "  " << task_->metric() << " " << std::setprecision(2) << 100 * record.train_metric
       << " % train, " << 100 * record.test_metric << " % test (best " << 100 * state_.best << ")";
  if (options_.regulation != "off") {
    line << "  participating " << std::setprecision(1)
         << 100.0 * static_cast<double>(record.participants) / static_cast<double>(std::max<std::int64_t>(1, record.rows))
         << " % (" << record.regulation << ", tau " << std::setprecision(2) << record.threshold << ")";
  }
  line << "  " << std::setprecision(1) << timing_.total() << " s";
  say_(line.str());
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

RunResult Run::execute() {
  const int per_epoch = batches_per_epoch();
  const std::int64_t total = total_batches();
  Stopwatch watch;
  while (state_.batches < total) {
    if (state_.batch == 0) begin_epoch();
    const std::vector<std::int32_t> order = epoch_order(data_.train.count(), subset_, options_.seed,
                                                        static_cast<std::uint32_t>(state_.epoch), options_.shuffle == "on");
    bool stop = false;
    while (state_.batch < per_epoch && state_.batches < total && !stop) {
      const int first = state_.batch * options_.batch;
      const int rows = std::min(options_.batch, static_cast<int>(order.size()) - first);
      one_batch(order.data() + first, rows);
      progress_.show(state_.epoch + 1, static_cast<int>(std::ceil(options_.epochs)), state_.batch, per_epoch);
      const bool asked = interrupted() || (options_.max_steps > 0 && state_.batches >= options_.max_steps);
      stop = asked && state_.batch < per_epoch && state_.batches < total;
      // The last batch of an epoch is saved with the epoch closed, below.
      const bool closes = state_.batch == per_epoch || state_.batches == total;
      const bool due = options_.save_every_steps > 0 && state_.batches % options_.save_every_steps == 0;
      if (due && !stop && !closes && healthy()) save();
    }
    const double data_seconds = runner_->take_data_seconds();
    timing_.data += data_seconds;
    timing_.compute += watch.lap() - data_seconds;
    if (stop) {
      save();
      say_(text("stopped after batch ", state_.batches, "; continue with --resume --out ", folder_.path()));
      return result(false);
    }
    end_epoch();
    watch.lap();
    if (state_.batches < total && (interrupted() || (options_.max_steps > 0 && state_.batches >= options_.max_steps))) {
      say_(text("stopped after epoch ", state_.epoch, "; continue with --resume --out ", folder_.path()));
      return result(false);
    }
  }
  if (options_.regulation != "off") write_significance_csv(folder_.file("significance.csv"), significance());
  const RunResult done = result(true);
  folder_.write_result(done);
  return done;
}

RunResult train(const RunOptions& options, bool resume, const LineSink& say) { return Run(options, resume, say).execute(); }

}  // namespace retort
