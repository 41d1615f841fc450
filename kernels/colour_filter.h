// A change of colours that can be learned (TST's colour encoders, arXiv:2212.05422): each image scaled and shifted,
// then a 5x5 convolution between its channels, the same for all, with zeros outside of the image and no bias:
//
//     y = conv(s_n x + t_n)
//
// In f32 in every precision: the images are data, and few.
#pragma once

#include "kernels/types.h"

namespace retort {

struct ColourFilterShape {
  static constexpr int kSide = 5, kMargin = kSide / 2;
  int rows = 0, height = 0, width = 0, channels = 0;  ///< at most 4 channels
  bool weight_gradient = true;  ///< whether backward may be asked for dweight, which takes workspace
  RETORT_HOST_DEVICE int weights() const { return channels * kSide * kSide * channels; }
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  std::size_t colour_filter_workspace(const ColourFilterShape& shape);  // of either pass
  void colour_filter_forward(const Launch& launch, const ColourFilterShape& shape,
                             const float* x,              // (N, H, W, C)
                             const float* scale_shift,    // (N, 2)
                             const float* weight,         // (C out, 5, 5, C in)
                             float* y);                   // (N, H, W, C)
  void colour_filter_backward(const Launch& launch, const ColourFilterShape& shape, const float* x,
                              const float* scale_shift, const float* weight,
                              const float* dy,            // (N, H, W, C)
                              float* dscale_shift,        // (N, 2), overwritten
                              float* dweight);            // (C, 5, 5, C), overwritten; null: not wanted
)
// clang-format on
