// The inner products of Winograd convolutions: at each of the 36 points of the transform, a matrix product of tiles and
// weights. Sums live in registers, as many as leave room for the factors: they hide the latency of fused multiply-adds.
//
// The two functions are not inlined, because their callers' variables would compete for the registers.
#pragma once

#include <cstdint>

#include "kernels/cpu/winograd_transform.h"

namespace retort::cpu::winograd {

// Transformed tiles lie as [nu][block of channels][tile][xi][channel of the block], xi and nu being the row and column
// of the transform: that is how the transforms write them. A block has as many channels as a vector.
constexpr int kTileFloats = kPoints * kLanes;  ///< one tile of one channel block at one nu
constexpr int kPairFloats = kLanes * kLanes;   ///< weights between two channel blocks at one point

#if defined(__AVX512F__)
constexpr int kSums = 24;  ///< vectors of sums that multiply() keeps, of 32 registers
constexpr int kRows = 8;   ///< input channels that add_outer_products() takes with two blocks of output channels
#else
constexpr int kSums = 12;  // of 16 registers
constexpr int kRows = 4;
#endif

/// Multiplies kTiles tiles with the weights of kVectors output blocks at one point, summed over all input channels.
/// Weights are [output block][input channel][output channel of the block].
template <int kTiles, int kVectors>
__attribute__((noinline)) void multiply(const float* tiles, std::int64_t tile_block_stride, const float* weight,
                                        std::int64_t weight_block_stride, int in_blocks, float* products,
                                        std::int64_t product_block_stride) {
  Vector sum[kTiles][kVectors] = {};
  for (int block = 0; block < in_blocks; ++block, tiles += tile_block_stride) {
    for (int c = 0; c < kLanes; ++c, weight += kLanes) {
      Vector w[kVectors];
#pragma GCC unroll 2
      for (int k = 0; k < kVectors; ++k) {
        load(w[k], weight + k * weight_block_stride);
        keep_in_register(w[k]);
      }
#pragma GCC unroll 24
      for (int t = 0; t < kTiles; ++t) {
        const float value = tiles[t * kTileFloats + c];
#pragma GCC unroll 2
        for (int k = 0; k < kVectors; ++k) sum[t][k] += w[k] * value;
      }
    }
  }
#pragma GCC unroll 2
  for (int k = 0; k < kVectors; ++k) {
#pragma GCC unroll 24
    for (int t = 0; t < kTiles; ++t) store(products + k * product_block_stride + t * kTileFloats, sum[t][k]);
  }
}

/// Adds to `sums` ([output block][input channel][output channel of the block]) the outer products of `rows` input
/// channels and kVectors blocks of output channels at one point, over all tiles.
template <int rows, int kVectors>
__attribute__((noinline)) void add_outer_products(const float* inputs, const float* outputs,
                                                  std::int64_t output_block_stride, std::int64_t tiles, float* sums,
                                                  std::int64_t sums_block_stride) {
  Vector sum[rows][kVectors] = {};
  for (std::int64_t t = 0; t < tiles; ++t, inputs += kTileFloats, outputs += kTileFloats) {
    Vector z[kVectors];
#pragma GCC unroll 2
    for (int k = 0; k < kVectors; ++k) {
      load(z[k], outputs + k * output_block_stride);
      keep_in_register(z[k]);
    }
#pragma GCC unroll 16
    for (int c = 0; c < rows; ++c) {
#pragma GCC unroll 2
      for (int k = 0; k < kVectors; ++k) sum[c][k] += z[k] * inputs[c];
    }
  }
#pragma GCC unroll 2
  for (int k = 0; k < kVectors; ++k) {
#pragma GCC unroll 16
    for (int c = 0; c < rows; ++c) {
      float* to = sums + k * sums_block_stride + c * kLanes;
      Vector before;
      load(before, to);
      store(to, before + sum[c][k]);
    }
  }
}

}  // namespace retort::cpu::winograd
