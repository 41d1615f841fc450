// The sum of several augmented versions of images (TST, arXiv:2212.05422), and its normalisation for a network:
//
//     y = scale_c (x + sum_k share_k (version_k - x)) + shift_c         c: the channel of a number
//
// An image has its own share of each version.
#pragma once

#include "kernels/types.h"

namespace retort {

/// What the numbers of channel c become: scale_c v + shift_c.
struct ChannelMap {
  float scale[4] = {1, 1, 1, 1}, shift[4] = {0, 0, 0, 0};
};

struct BlendShape {
  int rows = 0;
  std::int64_t numbers = 0;  ///< P of one image, its channels side by side
  int channels = 1;          ///< at most 4
  ChannelMap map;
  DType dtype = DType::f32;  ///< of y
};

struct BlendedVersions {
  static constexpr int kMost = 8;
  int count = 0;
  const float* version[kMost] = {};  // each (N, P)
  float* dversion[kMost] = {};       // each (N, P), or null: its gradient is not wanted. Backward only
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  void blend_forward(const Launch& launch, const BlendShape& shape, const BlendedVersions& versions,
                     const float* x,         // (N, P)
                     const float* share,     // (count, N)
                     void* y);               // (N, P)
  void blend_backward(const Launch& launch, const BlendShape& shape, const BlendedVersions& versions, const float* x,
                      const float* share,
                      const void* dy,        // (N, P) of the shape's type
                      float* dshare);        // (count, N), overwritten
)
// clang-format on
