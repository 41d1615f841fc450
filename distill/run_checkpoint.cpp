// Saving and resuming.
#include <iomanip>

#include "distill/checkpoint.h"
#include "distill/normalisation.h"
#include "distill/run.h"

namespace retort {

void Run::check_same_options(RunOptions stored) const {
  visit_option_members([&](const char* name, auto member, const char*) {
    if (may_change_at_resume(name)) stored.*member = options_.*member;
  });
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
  const auto place = [](const RunState& s) { return s.threads > 0 ? text(s.threads, " threads on ", s.isa) : s.isa; };
  RETORT_CHECK_AS(ErrorKind::input, stored.threads == state_.threads && stored.isa == state_.isa, path,
                  ": was run with ", place(stored), ", here are ", place(state_),
                  "; results would differ in the last bits. Give ",
                  stored.threads > 0 ? text("--device cpu --threads ", stored.threads) : "--device cuda",
                  " on the same kind of ", stored.threads > 0 ? "processor" : "GPU");
  if (transforms_) transforms_->read(file, path);
  state_ = std::move(stored);
  saved_at_ = state_.batches;
  context_.clear_macs();  // the teacher's cached logits are in the stored ledger already
  runner_->restore(state_.significance, state_.entered, state_.judged, state_.queue);
  step_.host = state_.totals;
  training_step_.host = state_.training;
  send_inputs();
  say_(text("resumed from ", path, " after ", state_.batches, " batches (epoch ", state_.epoch + 1, ")"));
}

void Run::capture_state() {
  state_.totals = step_.host;
  state_.training = training_step_.host;
  state_.significance = runner_->significance();
  state_.entered = runner_->entered();
  state_.judged = runner_->judged();
  state_.queue = runner_->queue();
  state_.ledger.distinct_samples = 0;
  for (const std::uint8_t entered : state_.entered) state_.ledger.distinct_samples += entered;
}

Significance Run::significance() const {
  Significance s;
  s.count = runner_->significance();
  s.index = source_rows(data_.train);
  s.label = labels_of(data_.train);
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
  if (transforms_) transforms_->add_to(file);
  if (options_.regulation != "off") add_significance(file, significance());
  add_normalisation(file, normalisation_of(data_));
  file.metadata["data"] = data_.name;
  file.metadata["data_checksum"] = data_.checksum;
  // Between two evaluations the parameters are no longer those the metric was measured with.
  if (state_.epoch > 0 && between_periods()) file.metadata["last_metric"] = claim();
  writing_.run([this, file = std::move(file)] { folder_.write_checkpoint(file); });
  saved_at_ = state_.batches;
}

std::string Run::claim() const {
  std::ostringstream out;
  out << std::setprecision(9) << state_.last;
  return out.str();
}

}  // namespace retort
