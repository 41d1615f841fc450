#include "distill/run.h"

#include <filesystem>

#include "distill/checkpoint.h"
#include "distill/normalisation.h"
#include "distill/tst/phase_log.h"
#include "distill/version.h"

namespace retort {
namespace {

/// Between the accuracy that a teacher's file claims and the one it has here; of a regression's error, a share.
constexpr double claim_tolerance = 0.005;

}  // namespace

Run::Run(const RunOptions& options, bool resume, const LineSink& say)
    : options_(options),
      say_([this, &say](const std::string& line) {
        progress_.clear();
        say(line);
      }),
      threads_(use_threads(options.threads)),
      data_(dataset_of(options)),
      context_(device_of(options.device), precision_of(options.precision, device_of(options.device))),
      task_(make_task(data_)),
      train_(context_, data_, data_.train),
      test_(context_, data_, data_.test),
      network_(make_network(options.net, input_of(data_), task_->outputs())),
      lock_(options.out),
      folder_(options.out),
      plans_(context_.device(), options, resume && folder_.has_checkpoint() ? folder_.file("plans.json") : "", say_),
      schedule_(schedule_of(options)),
      step_(context_),
      training_step_(context_),
      pace_(context_) {
  plan_ = step_plan_of(options_, data_);
  network_->parameters().materialise(context_, options_.seed, Trainable::yes, plan_.optimizer.moments());
  if (!options_.init.empty()) {
    const std::string path = checkpoint_path(options_.init);
    const TensorFile file = read_safetensors(path);
    load_network(file, path, *network_, false);
    if (teaches()) see_images_as(file, path);
  }
  if (!teaches()) {
    teacher_ = std::make_unique<Teacher>(context_, options_.teacher, options_.teacher_net, data_, *task_,
                                         options_.fold_teacher == "on");
    see_images_as(teacher_->file(), teacher_->path());
  }
  plan_.network = network_.get();
  plan_.teacher = teacher_.get();
  plan_.task = task_.get();
  plan_.data = &train_;
  if (teacher_) prepare_subset();
  plan_.batch = std::min(plan_.batch, samples_in_use());
  if (!teaches() && plan_.method->transforms) prepare_transforms();
  runner_ = std::make_unique<StepRunner>(context_, plan_, data_.train.count());

  state_.regulation = options_.regulation == "auto" ? "mask" : options_.regulation;
  state_.threads = context_.device() == Device::cpu ? threads_ : 0;  // a GPU's results do not depend on them
  state_.isa = arithmetic_of(context_.device());
  measure_memory();
  evaluator_ = std::make_unique<Evaluator>(context_, *network_, test_, *task_, evaluation_batch(plan_.batch), plan_.record);
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
  plans_.write(folder_.file("plans.json"));
  folder_.write_environment(context_.device(), threads_, data_);
  timing_ = folder_.keep_metrics(state_.epoch);
  if (transforms_) keep_phases(folder_.file("phases.jsonl"), state_.phases);
  began_finite_ = first_nonfinite_value(*network_).empty();
}

/// Teacher and student get the same batch, so it is normalised as the teacher was trained.
void Run::see_images_as(const TensorFile& file, const std::string& path) {
  const auto normalisation = normalisation_of(file, path, data_.channels);
  if (!normalisation || *normalisation == normalisation_of(data_)) return;
  set_normalisation(data_, *normalisation);
  train_.set_normalisation(data_);
  test_.set_normalisation(data_);
  say_(text("images normalised as ", path, " says: ", to_text(*normalisation)));
}

void Run::prepare_subset() {
  if (!plan_.method->weighs_by_significance) return;
  const bool own = options_.significance.empty();
  const Significance all =
      own ? significance_of(teacher_->file(), teacher_->path()) : read_significance_csv(options_.significance);
  const Significance here =
      aligned(all, source_rows(data_.train), labels_of(data_.train), own ? teacher_->path() : options_.significance);
  const std::vector<float> weights = significance_weights(here, options_.weights, options_.top_share);
  train_.set_weights(weights);
  subset_ = positive_rows(weights);
  RETORT_CHECK_AS(ErrorKind::input, !subset_.empty(), "no training sample has a positive significance weight");
}

void Run::prepare_teacher() {
  const Evaluation found = evaluate(context_, teacher_->network(), test_, *task_, evaluation_batch(plan_.batch));
  teacher_metric_ = found.metric;
  context_.clear_macs();  // evaluations do not count
  const double claimed = teacher_->claimed(data_.checksum);
  const std::string metric = task_->metric();
  const std::string says = claimed >= 0 ? " (its file says " + metric_text(metric, claimed) + ")" : "";
  say_(text("teacher ", teacher_->network().name(), " from ", teacher_->path(), ": ", metric_text(metric, found.metric),
            " on the test split", says));
  RETORT_CHECK_AS(ErrorKind::input, claimed < 0 || std::abs(claimed - found.metric) <= claim_tolerance * (metric == "accuracy" ? 1 : claimed),
                  teacher_->path(),
                  ": the teacher reaches ", found.metric, " where its file says ", claimed,
                  "; it is not the network it claims to be");
  const bool same_images = !plan_.augmentation.any() && !plan_.method->transforms;
  const bool caches = options_.cache_teacher == "on" || (options_.cache_teacher == "auto" && same_images);
  if (!caches) return;
  cache_teacher();
}

/// The logits of all samples, computed here or by an earlier student of this teacher, which comes to the same: the ledger
/// counts them either way.
void Run::cache_teacher() {
  const int batch = evaluation_batch(plan_.batch);
  const bool has_folder = std::filesystem::is_directory(options_.teacher);
  const std::string path = has_folder ? options_.teacher + "/logits.safetensors" : "";
  const std::string identity =
      text("teacher ", teacher_->checksum(), " data ", data_.checksum, " ",
           to_text(normalisation_of(data_)), " precision ", static_cast<int>(context_.precision()), " fold ",
           options_.fold_teacher, " batch ", batch, " threads ", state_.threads, " ", state_.isa);
  // A logit a sample in use would do, but the whole split keeps rows and samples the same thing.
  const std::int64_t samples = data_.train.count(), outputs = task_->outputs();
  std::optional<SavedLogits> logits;
  if (has_folder) logits = read_logits(path, identity, samples, outputs);
  if (logits) {
    context_.count_macs(logits->macs);
  } else {
    const double before = context_.macs();
    logits = SavedLogits{teacher_->all_logits(train_, *task_, batch), 0};
    logits->macs = context_.macs() - before;
    if (has_folder) keep_logits(path, identity, *logits);
  }
  teacher_->cache(logits->values);
  state_.ledger.teacher_forward += samples;
}

/// Who may not write there computes them again.
void Run::keep_logits(const std::string& path, const std::string& identity, const SavedLogits& logits) {
  try {
    write_logits(path, identity, data_.train.count(), task_->outputs(), logits);
  } catch (const Error& error) {
    say_(text("the teacher's logits are not kept for other students: ", error.what()));
  }
}

}  // namespace retort
