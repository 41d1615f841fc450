// The last kernel of a step: commits batch-norm statistics, significance and totals together, or none of them.
#pragma once

#include "kernels/regulation.h"
#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

/// A step that was not applied.
struct SkippedStep {
  std::int64_t batch = 0;     ///< of the epoch, the first is 1
  std::int32_t verdict = 0;   ///< a StepVerdict
  std::int64_t in_a_row = 0;  ///< with the skipped ones just before it
  std::int64_t culprit = -1;  ///< the first element of the gradient that is not finite, or -1
};

/// The last skipped steps, in memory that host and device share: number i is steps[i % capacity].
struct SkipLog {
  static constexpr int capacity = 32;
  std::int64_t count = 0;  ///< ever
  SkippedStep steps[capacity];
};

struct StepOutcome {
  int rows = 0;
  const float* loss = nullptr;                 // (rows), or null: nothing was computed
  const float* error = nullptr;                // (rows), or null
  const std::int32_t* correct = nullptr;       // (rows), or null
  const std::int32_t* participates = nullptr;  // (rows)
  const std::int32_t* samples = nullptr;       // (rows) indices into the data set
  const std::int32_t* labels = nullptr;        // (rows), of which no_label are counted as mixtures, or null
  std::int32_t* significance = nullptr;        // (data set) += participates, or null
  std::uint8_t* entered = nullptr;         // (data set) 1 for each sample that ever entered a backward pass, or null
  float* buffers = nullptr;                // (n) batch-norm statistics in force
  const float* pending_buffers = nullptr;  // (n) what they become
  std::int64_t buffer_count = 0;
  const float* gradient = nullptr;  // (n) of the parameters, searched for what is not finite, or null
  std::int64_t gradient_count = 0;
  SkipLog* log = nullptr;          // shared with the host, or null
  std::uint8_t* judged = nullptr;  // (data set) participates of each sample, as it is from now on, or null
};

/// What both backends do once the rows are summed up.
RETORT_HOST_DEVICE inline void count_applied(StepState& state, int rows, double loss_sum, double error_sum,
                                             std::int64_t correct, std::int64_t participants, std::int64_t mixtures) {
  state.loss_sum += loss_sum;
  state.error_sum += error_sum;
  state.mixtures += mixtures;
  state.rows += rows;
  state.correct += correct;
  state.participants += participants;
  state.steps_applied += 1;
  if (participants == 0) state.steps_without_participants += 1;
  state.skipped_in_a_row = 0;
  state.step += 1;
}
RETORT_HOST_DEVICE inline void count_skipped(StepState& state, std::int64_t culprit, SkipLog* log) {
  state.skipped += 1;
  state.skipped_in_a_row += 1;
  if (log == nullptr) return;
  SkippedStep& entry = log->steps[log->count % SkipLog::capacity];
  entry.batch = state.batch;
  entry.verdict = state.verdict;
  entry.in_a_row = state.skipped_in_a_row;
  entry.culprit = culprit;
  log->count += 1;
}

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// If state.verdict is `applied`: copies the buffers, raises counters and totals, and state.step by one.
  /// Otherwise raises `skipped` and `skipped_in_a_row` only, and writes an entry to the log.
  void commit_step(const Launch& launch, const StepOutcome& outcome, StepState* state);
)
// clang-format on
