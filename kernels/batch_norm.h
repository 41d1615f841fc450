// Batch normalisation over (N, H, W) of NHWC data, with the neighbours it is always seen with fused in:
//
//     sum = x + x2                                   x2 null: sum is x itself and is not written
//     y   = relu?( gamma (sum - mean) rstd + beta + residual )
//
// x2 serves pre-activation networks (WRN), residual serves post-activation ones (ResNet). Semantics are PyTorch's:
// the batch variance that normalises is biased, the one that enters the running variance is unbiased (n / (n - 1));
// running = (1 - momentum) running + momentum batch. Statistics accumulate in double or in two levels of float.
// x, x2, sum, residual, y and their gradients have dtype `dtype`; everything per channel is f32.
#pragma once

#include "kernels/types.h"

namespace retort {

struct BatchNormShape {
  std::int64_t rows = 0;  ///< N H W
  int channels = 0;
  DType dtype = DType::f32;
  bool relu = false;
  float epsilon = 1e-5F;
  float momentum = 0.1F;
};

struct BatchNormForward {
  const void* x = nullptr;           // (rows, C)
  const void* x2 = nullptr;          // (rows, C) or null
  void* sum = nullptr;               // (rows, C), written when x2 is given
  const void* residual = nullptr;    // (rows, C) or null
  const float* gamma = nullptr;      // (C)
  const float* beta = nullptr;       // (C)
  float* running_mean = nullptr;     // (C) training: updated, null to leave alone; evaluation: read
  float* running_var = nullptr;      // (C) likewise
  float* batches_tracked = nullptr;  // (1) training: raised by one, or null
  float* save_mean = nullptr;        // (C) written: the mean that was subtracted
  float* save_rstd = nullptr;        // (C) written: 1 / sqrt(variance + epsilon)
  void* y = nullptr;                 // (rows, C)
};

struct BatchNormBackward {
  const void* dy = nullptr;          // (rows, C)
  const void* dy2 = nullptr;         // (rows, C) or null: a second part of the gradient, added to dy
  const void* sum = nullptr;         // (rows, C) what was normalised (x itself without x2)
  const void* y = nullptr;           // (rows, C) read only with relu: where y <= 0 no gradient passes
  const float* gamma = nullptr;      // (C)
  const float* save_mean = nullptr;  // (C)
  const float* save_rstd = nullptr;  // (C)
  const void* dx_addend = nullptr;   // (rows, C) or null: added to dx (the gradient `sum` receives from elsewhere)
  void* dx = nullptr;                // (rows, C) overwritten; null when nobody wants it. May alias dy, dy2, dx_addend.
  void* dresidual = nullptr;         // (rows, C) overwritten with the gradient behind the ReLU, or null. May alias dy.
  float* dgamma = nullptr;           // (C) overwritten, or null
  float* dbeta = nullptr;            // (C) overwritten, or null
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  std::size_t batch_norm_workspace(const BatchNormShape& shape);

  /// Normalises with the statistics of this batch and updates the running ones.
  void batch_norm_forward_training(const Launch& launch, const BatchNormShape& shape, const BatchNormForward& args);
  /// Normalises with the running statistics (evaluation; a frozen network).
  void batch_norm_forward_evaluation(const Launch& launch, const BatchNormShape& shape, const BatchNormForward& args);

  /// The statistics depend on x: dx = gamma rstd (g - mean(g) - xhat mean(g xhat)), g = gradient behind the ReLU.
  void batch_norm_backward_training(const Launch& launch, const BatchNormShape& shape, const BatchNormBackward& args);
  /// The statistics are constants: dx = gamma rstd g.
  void batch_norm_backward_evaluation(const Launch& launch, const BatchNormShape& shape, const BatchNormBackward& args);
)
// clang-format on
