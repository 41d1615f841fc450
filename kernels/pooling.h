// Pooling of NHWC data (f32 or bf16), no padding. Windows that would leave the image are dropped, as PyTorch's
// floor mode does.
#pragma once

#include "kernels/types.h"

namespace retort {

struct Pool2dShape {
  int batch = 0, height = 0, width = 0, channels = 0;
  int kernel = 2, stride = 2;
  DType dtype = DType::f32;

  int out_height() const { return (height - kernel) / stride + 1; }
  int out_width() const { return (width - kernel) / stride + 1; }
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// Bytes of workspace that the backward passes want: fp32 sums where bf16 gradients of several windows add up.
  std::size_t pool2d_workspace(const Pool2dShape& shape);

  void max_pool2d_forward(const Launch& launch, const Pool2dShape& shape,
                          const void* x,   // (N, H, W, C)
                          void* y);        // (N, P, Q, C)
  /// The gradient goes to the first maximum of a window in row-major order (NaN counts as the maximum).
  void max_pool2d_backward(const Launch& launch, const Pool2dShape& shape,
                           const void* x,    // (N, H, W, C)
                           const void* dy,   // (N, P, Q, C)
                           void* dx);        // (N, H, W, C), overwritten

  void avg_pool2d_forward(const Launch& launch, const Pool2dShape& shape, const void* x, void* y);
  void avg_pool2d_backward(const Launch& launch, const Pool2dShape& shape, const void* dy, void* dx);

  /// Mean over positions; the result is always f32, ready for the linear layer.
  void global_avg_pool_forward(const Launch& launch, int batch, int positions, int channels, DType dtype,
                               const void* x,    // (N, positions, C)
                               float* y);        // (N, C)
  void global_avg_pool_backward(const Launch& launch, int batch, int positions, int channels, DType dtype,
                                const float* dy,  // (N, C)
                                void* dx);        // (N, positions, C), overwritten
)
// clang-format on
