// One run in progress: everything that lives from the first batch to the result. trainer.cpp has its loop, run.cpp what
// comes before it, run_memory.cpp the measuring of memory, run_checkpoint.cpp saving and resuming.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "distill/background.h"
#include "distill/cost.h"
#include "distill/evaluation.h"
#include "distill/folder_lock.h"
#include "distill/pace.h"
#include "distill/progress.h"
#include "distill/run_plans.h"
#include "distill/run_setup.h"
#include "distill/run_state.h"
#include "distill/saved_logits.h"
#include "distill/trainer.h"
#include "distill/tst/phase.h"

namespace retort {

/// Without gradients a larger batch has room, and runs faster.
constexpr int evaluation_batch(int batch) { return 4 * batch; }

class Run {
 public:
  Run(const RunOptions& options, bool resume, const LineSink& say);
  RunResult execute();

 private:
  void prepare_teacher();
  void cache_teacher();
  void keep_logits(const std::string& path, const std::string& identity, const SavedLogits& logits);
  void see_images_as(const TensorFile& file, const std::string& path);
  void prepare_subset();
  void measure_memory();
  void measure_forward_cost();
  void measure_steps(int batch);
  int largest_batch_that_fits();
  void check_same_options(RunOptions stored) const;
  void resume_from(const TensorFile& file, const std::string& path);
  void send_inputs();
  void begin_epoch();
  void begin_period();
  void feed_epoch();
  void finish_writing();
  std::vector<std::int32_t> order_of(int epoch) const;
  std::vector<std::int64_t> rows_by_class() const;
  void one_batch(int rows);
  void account();
  [[noreturn]] void fail_diverged(const std::string& what);
  void watch_for_divergence();
  void report(const SkippedStep& step);
  void end_epoch();
  void end_period();
  void choose_regulation();
  void prepare_transforms();
  bool run_phases();
  void record_phase(PhaseRecord record, int phase, int epoch);
  void save();
  void capture_state();
  Significance significance() const;
  std::vector<std::int64_t> participants_by_class() const;
  void write_predictions();
  std::string claim() const;
  RunResult result(bool finished);
  Position position() const;
  /// Epochs since the masks of this epoch were made: 0 where samples are scored.
  int mask_age() const { return state_.regulation == "compact" ? state_.epoch % options_.rescore : 0; }
  bool counts_classes() const { return options_.regulation != "off" && data_.classes > 0; }
  /// Between two epochs, the first of which was evaluated: periods are the epochs from one evaluation to the next.
  bool between_periods() const {
    return state_.batch == 0 && (state_.epoch % options_.eval_every == 0 || state_.batches == total_batches());
  }
  bool teaches() const { return options_.command == "teach"; }
  /// The last step was applied. While steps are skipped, the checkpoint before them is the one to keep.
  bool healthy() const { return step_.host.skipped_in_a_row == 0 && training_step_.host.skipped_in_a_row == 0; }
  std::int64_t total_batches() const {
    return static_cast<std::int64_t>(std::ceil(options_.epochs * batches_per_epoch() - 1e-9));
  }
  int batches_per_epoch() const { return (samples_in_use() + options_.batch - 1) / options_.batch; }
  int samples_in_use() const { return subset_.empty() ? data_.train.count() : static_cast<int>(subset_.size()); }

  const RunOptions& options_;
  Progress progress_;
  LineSink say_;  // what was given, with the progress bar out of its way
  int threads_;
  Dataset data_;
  Context context_;
  std::unique_ptr<Task> task_;
  DeviceDataset train_, test_;
  std::unique_ptr<Network> network_;
  FolderLock lock_;
  RunFolder folder_;  // made once data and network are known to exist
  RunPlans plans_;
  std::unique_ptr<Teacher> teacher_;
  double teacher_metric_ = -1;
  double participation_ = -1;  ///< of the epoch before; negative: none
  Schedule schedule_;
  StepPlan plan_;
  std::unique_ptr<LearnedTransforms> transforms_;  ///< of --method tst
  std::unique_ptr<LearningPhase> phase_;           ///< where its module learns
  std::vector<std::int32_t> subset_;
  DeviceStep step_, training_step_;  // the second of compact regulation's training steps
  std::unique_ptr<StepRunner> runner_;
  std::unique_ptr<Evaluator> evaluator_;
  Pace pace_;
  RunState state_;
  bool began_finite_ = true;    ///< parameters and statistics at the start, or at the resume
  std::int64_t saved_at_ = -1;  ///< state_.batches of the last checkpoint
  StepState counted_, training_counted_;  ///< totals that are in the ledger already
  Timing timing_;
  Cost cost_;
  std::future<std::vector<std::int32_t>> next_order_;  ///< of the rows in the epoch after this one
  std::vector<float> logits_;                          ///< (test samples, outputs) after the last epoch
  Background writing_;                                 ///< to the folder, while the next epoch runs
};

}  // namespace retort
