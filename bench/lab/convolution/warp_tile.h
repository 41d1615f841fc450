// What a warp of v5 and v6 computes: 32 pixels x 32 channels of its block's 64 x 64, by tensor cores.
#pragma once

#include "bench/lab/convolution/convolution.h"
#include "bench/lab/convolution/swizzle.h"
#include "bench/lab/convolution/tensor_core.h"
#include "kernels/cuda/warp.h"

namespace retort::lab {

using namespace retort::RETORT_CUDA_NAMESPACE;

/// Which of the block's channels a row of the filters' tile holds. Of two products of 8 columns a lane gets columns
/// {2 t, 2 t + 1} each; rows are dealt out so that these are four neighbouring channels, which it can store at once:
/// four lanes then fill a sector.
__device__ inline int channel_of_row(int row) {
  return row / 16 * 16 + row % 8 / 2 * 4 + row / 8 % 2 * 2 + row % 2;
}

class WarpTile {
 public:
  using Tile = SwizzledTile<bfloat16>;

  /// Adds the products of a chunk of 32 terms.
  __device__ void add(Tile& pixels, Tile& filters) {
    const int lane = lane_number();
#pragma unroll
    for (int step = 0; step < Tile::kColumns / 16; ++step) {
      std::uint32_t left[2][4];   // of 16 pixels each
      std::uint32_t right[2][4];  // of 16 channels each: registers 0, 1 of eight, 2, 3 of the others
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        load_matrices(left[i], pixels.pack(first_row() + 16 * i + lane % 16, 2 * step + lane / 16));
        load_matrices(right[i],
                      filters.pack(first_column() + 16 * i + lane / 16 * 8 + lane % 8, 2 * step + lane / 8 % 2));
      }
#pragma unroll
      for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          multiply_matrices(sums_[i][j], left[i], right[j / 2][j % 2 * 2], right[j / 2][j % 2 * 2 + 1]);
        }
      }
    }
  }

  __device__ void store(const Convolution& p, int first_pixel, int first_channel) const {
    const int lane = lane_number();
    auto* y = static_cast<bfloat16*>(p.y);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int pixel = first_pixel + first_row() + 16 * i + 8 * half + lane / 4;
#pragma unroll
        for (int j = 0; j < 4; j += 2) {
          const int channel = first_channel + first_column() + 8 * j + 4 * (lane % 4);
          if (pixel >= p.pixels() || channel >= p.shape.out_channels) continue;
          Pack<bfloat16, 4> four;
#pragma unroll
          for (int k = 0; k < 4; ++k) four.v[k] = bfloat16(sums_[i][j + k / 2][2 * half + k % 2]);
          store_pack(y + pixel * p.shape.out_channels + channel, four);
        }
      }
    }
  }

 private:
  /// Of the block's tiles: two warps side by side, two above each other.
  __device__ static int first_row() {
    return warp_number() / 2 * 32;
  }
  __device__ static int first_column() {
    return warp_number() % 2 * 32;
  }

  float sums_[2][4][4] = {};
};

}  // namespace retort::lab
