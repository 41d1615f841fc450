// The last kernel of a step: commits batch-norm statistics, significance and totals together, or none of them.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

struct StepOutcome {
  int rows = 0;
  const float* loss = nullptr;                 // (rows)
  const std::int32_t* correct = nullptr;       // (rows)
  const std::int32_t* participates = nullptr;  // (rows)
  const std::int32_t* samples = nullptr;       // (rows) indices into the data set
  std::int32_t* significance = nullptr;        // (data set) += participates, or null
  std::uint8_t* entered = nullptr;             // (data set) 1 for each sample that ever entered a backward pass, or null
  float* buffers = nullptr;                    // (n) batch-norm statistics in force
  const float* pending_buffers = nullptr;      // (n) what they become
  std::int64_t buffer_count = 0;
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// If state.verdict is `applied`: copies the buffers, raises counters and totals, and state.step by one.
  /// Otherwise raises `skipped` and `skipped_in_a_row` only.
  void commit_step(const Launch& launch, const StepOutcome& outcome, StepState* state);
)
// clang-format on
