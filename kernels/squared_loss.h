// Mean squared error for regression targets: loss = mean_d (prediction - target)^2, gradient 2 (p - t) / (D divisor).
#pragma once

#include "kernels/regulation.h"

// clang-format off
RETORT_KERNELS(
  /// Participation: regulated means sqrt(loss) >= StepState::confidence_threshold (an error, not a confidence);
  /// out.confidence holds -sqrt(loss), out.correct is 0.
  void regulated_squared_error(const Launch& launch, const RegulationRule& rule, int rows, int dimensions,
                               const float* prediction,       // (N, D)
                               const float* target,           // (N, D)
                               const std::int32_t* samples,   // (N)
                               const StepState* state, const LossRows& out,
                               float* dprediction);           // (N, D), overwritten; null: scoring only
)
// clang-format on
