// Operations on images that have no magnitude (AutoAugment, arXiv:1805.09501, by the definitions of PIL's ImageOps).
// Images are (N, H, W, C) f32 in [0, 1], of 256 levels.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  /// Levels spread so that each image's channels use them evenly: with the histogram h of a channel, the number of its
  /// pixels n and step = (n - pixels of its brightest level that occurs) / 255 (whole numbers), level v becomes
  /// min(255, (step / 2 + sum_{u < v} h_u) / step). A channel with step 0 stays as it is.
  void equalize(const Launch& launch, int rows, int height, int width, int channels, const float* x, float* y);

  /// A box of zeros, size x size around a pixel drawn for each image (transform_randomness.h), cut off at the edges
  /// (arXiv:1708.04552).
  void cutout(const Launch& launch, int rows, int height, int width, int channels, int size, const StepState* state,
              const float* x, float* y);

  /// y = 1 - x.
  void invert(const Launch& launch, std::int64_t n, const float* x, float* y);
)
// clang-format on
