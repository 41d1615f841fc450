// Where the pixels of a sample come from, which all versions have in common. Their kernels take the problem as a
// __grid_constant__: for scale[c], with a c that is known at run time only, the compiler would otherwise copy all of
// the parameters to every thread's stack.
#pragma once

#include "bench/lab/augment/augment.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pack.h"
#include "kernels/philox.h"

namespace retort::lab {

using namespace retort::RETORT_CUDA_NAMESPACE;

struct View {
  int row_offset, column_offset;  ///< of the output's corner in the image; negative: in the border
  bool flip;

  __device__ static View of(const AugmentShape& shape, std::int32_t sample, const StepState& state) {
    const Philox4 words = philox(state.seed, Purpose::augment, static_cast<std::uint64_t>(sample), state.epoch, 0);
    const auto offsets = static_cast<std::uint32_t>(2 * shape.crop_padding + 1);
    return {static_cast<int>(to_below(words.v[0], offsets)) - shape.crop_padding,
            static_cast<int>(to_below(words.v[1], offsets)) - shape.crop_padding,
            shape.flip && (words.v[2] >> 31) != 0};
  }

  /// The number at channel c of pixel (line, j) of the output; `image` is the sample's first byte, wherever it lies.
  __device__ float number(const AugmentShape& shape, const std::uint8_t* image, int line, int j, int c) const {
    if (c >= shape.channels) return 0;
    const int row = line + row_offset;
    const int column = (flip ? shape.width - 1 - j : j) + column_offset;
    const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
    const int byte = inside ? image[(row * shape.width + column) * shape.channels + c] : 0;
    return static_cast<float>(byte) * shape.scale[c] + shape.shift[c];
  }
};

__device__ inline const std::uint8_t* image_of(const Augment& p, std::int32_t sample) {
  return p.images + std::int64_t{sample} * p.shape.height * p.shape.width * p.shape.channels;
}

}  // namespace retort::lab
