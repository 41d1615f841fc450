// The end of a step: norm of the gradient, the verdict, the update. One flat range of parameters, one kernel.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

/// Parallel ranges of one parameter store. n counts elements.
struct ParameterRange {
  std::int64_t n = 0;
  float* master = nullptr;
  const void* gradient = nullptr;
  DType gradient_dtype = DType::f32;
  float* momentum = nullptr;       ///< SGD momentum, or AdamW's first moment
  float* second_moment = nullptr;  ///< AdamW only
  bfloat16* copy = nullptr;        ///< bf16 working copy of master, or null
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  std::size_t gradient_norm_workspace(std::int64_t n);
  /// state.gradient_square_sum += sum of squares, in a fixed order and in double. The first range of a step sets
  /// `first`, which overwrites.
  void gradient_norm(const Launch& launch, std::int64_t n, DType dtype, const void* gradient, bool first,
                     StepState* state);

  /// Sets gradient_norm, gradient_scale and verdict from the square sum and the row losses (mean must be finite).
  void judge_step(const Launch& launch, int rows, const float* loss, StepState* state);

  /// PyTorch's SGD: g = scale gradient + wd w; buf = m buf + g; w -= lr (nesterov ? g + m buf : buf),
  /// with m = state.momentum. Does nothing unless state.verdict is `applied`.
  void sgd_update(const Launch& launch, const ParameterRange& range, bool nesterov, const StepState* state);

  /// AdamW (arXiv:1711.05101), decoupled decay: w -= lr wd w; w -= lr mhat / (sqrt(vhat) + epsilon).
  void adamw_update(const Launch& launch, const ParameterRange& range, float beta1, float beta2, float epsilon,
                    const StepState* state);
)
// clang-format on
