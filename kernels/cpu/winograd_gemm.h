// The inner products of Winograd convolutions. Sums live in registers: 24 (forward) or 16 (filter gradient) of the 32
// that AVX-512 has, enough to hide the latency of a fused multiply-add.
//
// Transformed tiles are stored as [nu][block of 16 channels][tile][xi][16 channels], xi and nu being the row and column
// of the 4x4 transform: that is how the transforms write them, and all strides inside a block are constants.
//
// The two functions are not inlined, because their callers' variables would compete for the registers.
#pragma once

#include <cstdint>

#include "kernels/cpu/vector16.h"

namespace retort::cpu::winograd {

constexpr int kPoints = 4;                          ///< points of the transform in each direction
constexpr int kTileFloats = kPoints * kLanes;       ///< one tile of one channel block at one nu
constexpr int kBlockFloats = kTileFloats * kLanes;  ///< one nu of the weights between two channel blocks
constexpr int kHalfFloats = kPoints * 2 * kLanes;   ///< one tile of one channel block, rows already reduced to two

/// Multiplies kTiles tiles with the weights of kVectors output blocks at one nu, sums over all input channels, and
/// applies the output transform to the rows on the way out, so that only two of four leave the registers.
template <int kTiles, int kVectors>
__attribute__((noinline)) void multiply(const float* tiles, std::int64_t tile_block_stride, const float* weight,
                                        std::int64_t weight_block_stride, int in_blocks, float* half,
                                        std::int64_t half_block_stride) {
  Vector16 sum[kTiles][kPoints][kVectors] = {};
  for (int block = 0; block < in_blocks; ++block, tiles += tile_block_stride) {
    for (int c = 0; c < kLanes; ++c, weight += kTileFloats) {
#pragma GCC unroll 4
      for (int xi = 0; xi < kPoints; ++xi) {
        Vector16 w[kVectors];
#pragma GCC unroll 2
        for (int k = 0; k < kVectors; ++k) {
          load(w[k], weight + k * weight_block_stride + xi * kLanes);
          keep_in_register(w[k]);
        }
#pragma GCC unroll 6
        for (int t = 0; t < kTiles; ++t) {
          const float value = tiles[t * kTileFloats + xi * kLanes + c];
#pragma GCC unroll 2
          for (int k = 0; k < kVectors; ++k) sum[t][xi][k] += w[k] * value;
        }
      }
    }
  }
#pragma GCC unroll 2
  for (int k = 0; k < kVectors; ++k) {
#pragma GCC unroll 6
    for (int t = 0; t < kTiles; ++t) {
      float* to = half + k * half_block_stride + t * kHalfFloats;
      store(to, sum[t][0][k] + sum[t][1][k] + sum[t][2][k]);
      store(to + kLanes, sum[t][1][k] - sum[t][2][k] - sum[t][3][k]);
    }
  }
}

/// Adds to `sums` (blocks of 16x16, one per output block) the outer products of kRows input channels and kVectors
/// blocks of output channels at one point, over all tiles.
template <int kRows, int kVectors>
__attribute__((noinline)) void add_outer_products(const float* inputs, const float* outputs,
                                                  std::int64_t output_block_stride, std::int64_t tiles, float* sums,
                                                  std::int64_t sums_block_stride) {
  Vector16 sum[kRows][kVectors] = {};
  for (std::int64_t t = 0; t < tiles; ++t, inputs += kTileFloats, outputs += kTileFloats) {
    Vector16 z[kVectors];
#pragma GCC unroll 2
    for (int k = 0; k < kVectors; ++k) load(z[k], outputs + k * output_block_stride);
#pragma GCC unroll 16
    for (int c = 0; c < kRows; ++c) {
#pragma GCC unroll 2
      for (int k = 0; k < kVectors; ++k) sum[c][k] += z[k] * inputs[c];
    }
  }
#pragma GCC unroll 2
  for (int k = 0; k < kVectors; ++k) {
#pragma GCC unroll 16
    for (int c = 0; c < kRows; ++c) {
      float* to = sums + k * sums_block_stride + c * kLanes;
      Vector16 before;
      load(before, to);
      store(to, before + sum[c][k]);
    }
  }
}

}  // namespace retort::cpu::winograd
