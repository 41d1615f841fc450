// A differentiable affine map of images (spatial transformers, arXiv:1506.02025; TST's geometric encoders,
// arXiv:2212.05422). Coordinates are those of PyTorch's affine_grid and grid_sample with align_corners = false: -1 and
// 1 are the outer edges of the first and last pixel. The output's pixel at (x, y) shows the input at
//
//     (theta_0 x + theta_1 y + theta_2, theta_3 x + theta_4 y + theta_5)
//
// bilinearly between pixels, and 0 outside of the image.
#pragma once

#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  void affine_sample_forward(const Launch& launch, int rows, int height, int width, int channels,
                             const float* images,   // (N, H, W, C)
                             const float* theta,    // (N, 6)
                             float* out);           // (N, H, W, C)
  void affine_sample_backward(const Launch& launch, int rows, int height, int width, int channels,
                              const float* images, const float* theta,
                              const float* dout,    // (N, H, W, C)
                              float* dtheta);       // (N, 6), overwritten
)
// clang-format on
