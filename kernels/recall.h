// Participation remembered from an earlier epoch, in place of a scoring pass (--rescore).
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  /// participates[i] = judged[samples[i]], and state.verdict = applied: there is no loss that could not be finite.
  void recall_participation(const Launch& launch, int rows, const std::int32_t* samples,  // (rows)
                            const std::uint8_t* judged,                                   // (data set)
                            std::int32_t* participates,                                   // (rows)
                            StepState* state);
)
// clang-format on
