#include "distill/trainer.h"

#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>

#include "distill/checkpoint.h"
#include "distill/cost.h"
#include "distill/interrupt.h"
#include "distill/run_setup.h"
#include "distill/run_state.h"
#include "distill/version.h"

namespace retort {
namespace {

constexpr int max_skipped_in_a_row = 10;
constexpr double claim_tolerance = 0.005;

/// Without gradients a larger batch has room, and runs faster.
constexpr int evaluation_batch(int batch) { return 4 * batch; }

class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class Run {
 public:
  Run(const RunOptions& options, bool resume, const LineSink& say);
  RunResult execute();

 private:
  void prepare_teacher();
  void prepare_subset();
  void measure_memory();
  void measure_forward_cost();
  void measure_steps(int batch);
  int largest_batch_that_fits();
  void check_same_options(RunOptions stored) const;
  void resume_from(const TensorFile& file, const std::string& path);
  void begin_epoch();
  void one_batch(const std::int32_t* samples, int rows);
  [[noreturn]] void fail_diverged(const std::string& what) const;
  void watch_for_divergence(const DeviceStep& step);
  void end_epoch();
  void choose_regulation();
  void save();
  void capture_state();
  Significance significance() const;
  std::string claim() const;
  RunResult result(bool finished);
  bool teaches() const { return options_.command == "teach"; }
  /// The last step was applied. While steps are skipped, the checkpoint before them is the one to keep.
  bool healthy() const { return step_.host.skipped_in_a_row == 0 && training_step_.host.skipped_in_a_row == 0; }
  std::int64_t total_batches() const {
    return static_cast<std::int64_t>(std::ceil(options_.epochs * batches_per_epoch() - 1e-9));
  }
  int batches_per_epoch() const { return (samples_in_use() + options_.batch - 1) / options_.batch; }
  int samples_in_use() const { return subset_.empty() ? data_.train.count() : static_cast<int>(subset_.size()); }

  const RunOptions& options_;
  const LineSink& say_;
  int threads_;
  Dataset data_;
  Context context_;
  std::unique_ptr<Task> task_;
  DeviceDataset train_, test_;
  std::unique_ptr<Network> network_;
  RunFolder folder_;  // made once data and network are known to exist
  std::unique_ptr<Teacher> teacher_;
  double teacher_metric_ = -1;
  Schedule schedule_;
  StepPlan plan_;
  std::vector<std::int32_t> subset_;
  DeviceStep step_, training_step_, evaluation_step_;
  std::unique_ptr<StepRunner> runner_;
  RunState state_;
  bool began_finite_ = true;    ///< parameters and statistics at the start, or at the resume
  std::int64_t saved_at_ = -1;  ///< state_.batches of the last checkpoint
  Timing timing_;
  Cost cost_;
};

Run::Run(const RunOptions& options, bool resume, const LineSink& say)
    : options_(options),
      say_(say),
      threads_(use_threads(options.threads)),
      data_(dataset_of(options)),
      context_(device_of(options.device), precision_of(options.precision, device_of(options.device))),
      task_(make_task(data_)),
      train_(context_, data_, data_.train),
      test_(context_, data_, data_.test),
      network_(make_network(options.net, {data_.height, data_.width, data_.channels}, task_->outputs())),
      folder_(options.out),
      schedule_(schedule_of(options)),
      step_(context_),
      training_step_(context_),
      evaluation_step_(context_) {
  const OptimizerOptions optimizer = optimizer_of(options_);
  network_->parameters().materialise(context_, options_.seed, Trainable::yes, optimizer.moments());
  if (!options_.init.empty()) {
    const std::string path = checkpoint_path(options_.init);
    load_network(read_safetensors(path), path, *network_, false);
  }
  if (!teaches()) teacher_ = std::make_unique<Teacher>(context_, options_.teacher, options_.teacher_net, data_, *task_);
  plan_.network = network_.get();
  plan_.teacher = teacher_.get();
  plan_.task = task_.get();
  plan_.data = &train_;
  plan_.augmentation = augmentation_of(options_, data_);
  plan_.optimizer = optimizer;
  plan_.loss = loss_of(options_);
  plan_.distillation = {static_cast<float>(options_.alpha), static_cast<float>(options_.temperature)};
  plan_.scoring = options_.scoring == "training" ? ForwardMode::training() : ForwardMode::evaluation();
  plan_.scoring.dropout = false;
  plan_.batch = options_.batch;
  if (teacher_) prepare_subset();
  plan_.batch = std::min(plan_.batch, samples_in_use());
  runner_ = std::make_unique<StepRunner>(context_, plan_, data_.train.count());

  state_.regulation = options_.regulation == "auto" ? "mask" : options_.regulation;
  state_.threads = threads_;
  state_.isa = versions().isa;
  measure_memory();
  if (teacher_) prepare_teacher();
  if (!subset_.empty()) {
    say_(text("significance: ", subset_.size(), " of ", data_.train.count(), " samples have a positive weight (",
              options_.weights, ")"));
  }

  const auto config = folder_.read_config();
  std::string path;
  const auto checkpoint = config ? folder_.read_checkpoint(path) : std::nullopt;
  RETORT_CHECK(!checkpoint || resume, folder_.path(), " already holds a run; give --resume to continue it, or another --out");
  if (checkpoint) {
    check_same_options(*config);
    resume_from(*checkpoint, path);
  }
  folder_.write_config(options_);
  folder_.write_environment(options_.device == "cuda" ? "cuda" : "cpu", threads_, data_.checksum);
  timing_ = folder_.keep_metrics(state_.epoch);
  began_finite_ = first_nonfinite_value(*network_).empty();
}

void Run::prepare_subset() {
  if (options_.method != "significance" && options_.method != "hybrid") return;
  const bool own = options_.significance.empty();
  const Significance all =
      own ? significance_of(teacher_->file(), teacher_->path()) : read_significance_csv(options_.significance);
  const Significance here =
      aligned(all, source_rows(data_.train), data_.train.labels, own ? teacher_->path() : options_.significance);
  const std::vector<float> weights = significance_weights(here, options_.weights, options_.top_share);
  train_.set_weights(weights);
  subset_ = positive_rows(weights);
  RETORT_CHECK_AS(ErrorKind::input, !subset_.empty(), "no training sample has a positive significance weight");
}

void Run::prepare_teacher() {
  const Evaluation found = evaluate(context_, teacher_->network(), test_, *task_, evaluation_step_, evaluation_batch(plan_.batch));
  teacher_metric_ = found.metric;
  context_.clear_macs();  // evaluations do not count
  const double claimed = teacher_->claimed(data_.checksum);
  std::ostringstream line;
  line << "teacher " << teacher_->network().name() << " from " << teacher_->path() << ": " << std::fixed
       << std::setprecision(2) << 100 * found.metric << " % on the test split";
  if (claimed >= 0) line << " (its file says " << 100 * claimed << " %)";
  say_(line.str());
  RETORT_CHECK_AS(ErrorKind::input, claimed < 0 || std::abs(claimed - found.metric) <= claim_tolerance, teacher_->path(),
                  ": the teacher reaches ", found.metric, " where its file says ", claimed,
                  "; it is not the network it claims to be");
  const bool caches = options_.cache_teacher == "on" || (options_.cache_teacher == "auto" && !plan_.augmentation.any());
  if (!caches) return;
  // A logit a sample in use would do, but the whole split keeps rows and samples the same thing.
  teacher_->cache(train_, *task_, evaluation_step_, evaluation_batch(plan_.batch));
  state_.ledger.teacher_forward += data_.train.count();
}

/// Runs each kind of step once without launching anything, so that all memory is asked for before step 1.
void Run::measure_memory() {
  measure_forward_cost();
  measure_steps(plan_.batch);
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

void Run::measure_forward_cost() {
  context_.begin_measuring();
  const auto one_image = [&](Network& network) {
    context_.clear_macs();
    Tape tape(context_, Tape::Recording::off);
    const std::int32_t row = 0;
    const Batch one = train_.batch(&row, 1, {}, step_.device());
    network.forward(tape, {tape.variable(one.images, false), one.samples, step_.device()}, ForwardMode::evaluation());
    return context_.macs();
  };
  cost_.student_forward = one_image(*network_);
  if (teacher_) cost_.teacher_forward = one_image(teacher_->network());
}

void Run::measure_steps(int batch) {
  context_.begin_measuring();
  const std::vector<std::int32_t> rows(static_cast<std::size_t>(batch), 0);
  for (const int count : {batch, samples_in_use() % batch}) {
    if (count == 0) continue;
    runner_->train(rows.data(), count, step_);
    if (options_.regulation == "compact" || options_.regulation == "auto") {
      runner_->train_compact(rows.data(), count, step_, training_step_);
    }
  }
  evaluate(context_, *network_, test_, *task_, evaluation_step_, evaluation_batch(batch));
  if (teacher_) {
    evaluate(context_, teacher_->network(), test_, *task_, evaluation_step_, evaluation_batch(batch));
    teacher_->cache(train_, *task_, evaluation_step_, evaluation_batch(batch));
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

/// How long to go on and how often to save may change; what is computed may not. (Threads: resume_from.)
void Run::check_same_options(RunOptions stored) const {
  stored.max_steps = options_.max_steps;
  stored.save_every_steps = options_.save_every_steps;
  stored.threads = options_.threads;
  RETORT_CHECK(same_run(stored, options_), "--resume cannot change the options of the run in ", folder_.path(),
               "; they are in ", folder_.file("config.toml"));
}

void Run::resume_from(const TensorFile& file, const std::string& path) {
  const auto checksum = file.metadata.find("data_checksum");
  RETORT_CHECK_AS(ErrorKind::input, checksum == file.metadata.end() || checksum->second == data_.checksum, path,
                  ": was trained on other data (", checksum->second, ", ", options_.data, " is now ", data_.checksum, ")");
  load_network(file, path, *network_, true);
  RunState stored = run_state_of(file, path);
  RETORT_CHECK_AS(ErrorKind::input, static_cast<int>(stored.significance.size()) == data_.train.count(), path,
                  ": 'retort/counts' has ", stored.significance.size(), " samples, the data set ", data_.train.count());
  RETORT_CHECK_AS(ErrorKind::input, stored.threads == threads_ && stored.isa == state_.isa, path, ": was run with ",
                  stored.threads, " threads on ", stored.isa, ", here are ", threads_, " on ", state_.isa,
                  "; results would differ in the last bits. Give --threads ", stored.threads,
                  " on the same kind of processor");
  state_ = std::move(stored);
  saved_at_ = state_.batches;
  context_.clear_macs();  // the teacher's cached logits are in the stored ledger already
  runner_->restore(state_.significance, state_.entered, state_.queue);
  step_.host = state_.totals;
  training_step_.host = state_.training;
  step_.push_all();
  training_step_.push_all();
  say_(text("resumed from ", path, " after ", state_.batches, " batches (epoch ", state_.epoch + 1, ")"));
}

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

void Run::capture_state() {
  state_.totals = step_.host;
  state_.training = training_step_.host;
  state_.significance = runner_->significance();
  state_.entered = runner_->entered();
  state_.queue = runner_->queue();
  state_.ledger.distinct_samples = 0;
  for (const std::uint8_t entered : state_.entered) state_.ledger.distinct_samples += entered;
  state_.ledger.flops += 2 * context_.macs();
  context_.clear_macs();
}

Significance Run::significance() const {
  Significance s;
  s.count = runner_->significance();
  s.index = source_rows(data_.train);
  s.label = data_.train.labels;
  s.epochs = state_.epoch;
  return s;
}

void Run::save() {
  // An update can overflow although loss and gradient were finite, and a loss can be finite with infinite weights.
  const std::string overflown = first_nonfinite_value(*network_);
  if (!overflown.empty() && began_finite_) fail_diverged("'" + overflown + "' is no longer finite");
  capture_state();
  TensorFile file;
  add_network(file, *network_, true);
  add_run_state(file, state_);
  if (options_.regulation != "off") add_significance(file, significance());
  file.metadata["data"] = data_.name;
  file.metadata["data_checksum"] = data_.checksum;
  // In the middle of an epoch the parameters are no longer those the metric was measured with.
  if (state_.epoch > 0 && state_.batch == 0) file.metadata["last_metric"] = claim();
  folder_.write_checkpoint(file);
  saved_at_ = state_.batches;
}

std::string Run::claim() const {
  std::ostringstream out;
  out << std::setprecision(9) << state_.last;
  return out.str();
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

}  // namespace

RunResult train(const RunOptions& options, bool resume, const LineSink& say) { return Run(options, resume, say).execute(); }

}  // namespace retort
