// Weights and their gradients between OHWI and the blocks that the inner products of winograd_gemm.h read and write.
#pragma once

#include <cstdint>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/winograd_gemm.h"
#include "kernels/cpu/winograd_transform.h"

namespace retort::cpu::winograd {

/// G g G^T of a vector of kernels, stored where multiply() looks for them: to[point * point_stride].
inline void transform_kernels(const Vector (&g)[3][3], float* to, std::int64_t point_stride) {
  Vector rows[kPoints][3];
  for (int s = 0; s < 3; ++s) {
    Vector u[kPoints];
    weight_1d({g[0][s], g[1][s], g[2][s]}, u);
    for (int xi = 0; xi < kPoints; ++xi) rows[xi][s] = u[xi];
  }
  for (int xi = 0; xi < kPoints; ++xi) {
    Vector u[kPoints];
    weight_1d(rows[xi], u);
    for (int nu = 0; nu < kPoints; ++nu) store(to + (nu * kPoints + xi) * point_stride, u[nu]);
  }
}

/// The taps of the kernels between two channel blocks. Going through a copy touches every line of OHWI memory only
/// once; its rows lie so far apart that few of them fit into a cache together.
struct KernelPatch {
  alignas(Vector) float taps[9][kLanes][kLanes];  // [tap][input][output]

  void read(const float* from, std::int64_t in) {
    for (int o = 0; o < kLanes; ++o)
      for (int tap = 0; tap < 9; ++tap)
        for (int i = 0; i < kLanes; ++i) taps[tap][i][o] = from[(o * 9 + tap) * in + i];
  }
  void write(float* to, std::int64_t in) const {
    for (int o = 0; o < kLanes; ++o)
      for (int tap = 0; tap < 9; ++tap)
        for (int i = 0; i < kLanes; ++i) to[(o * 9 + tap) * in + i] = taps[tap][i][o];
  }
};

/// Writes [nu][xi][block of outputs][input][output of the block].
inline void transform_weights(const float* weight, int in_channels, int out_channels, float* to) {
  const std::int64_t in = in_channels;
  const std::int64_t point_stride = in * out_channels;
  for_each_chunk(out_channels / kLanes, [&](std::int64_t block) {
    for (std::int64_t in_begin = 0; in_begin < in; in_begin += kLanes) {
      KernelPatch patch;
      patch.read(weight + block * kLanes * 9 * in + in_begin, in);
      for (int i = 0; i < kLanes; ++i) {
        Vector g[3][3];
        for (int tap = 0; tap < 9; ++tap) load(g[tap / 3][tap % 3], patch.taps[tap][i]);
        transform_kernels(g, to + (block * in + in_begin + i) * kLanes, point_stride);
      }
    }
  });
}

/// The same for the data gradient, a convolution of dy with kernels turned by 180 degrees, from the layer's outputs to
/// its inputs.
inline void transform_turned_weights(const float* weight, int in_channels, int out_channels, float* to) {
  const std::int64_t in = in_channels;
  const std::int64_t point_stride = in * out_channels;
  for_each_chunk(in_channels / kLanes, [&](std::int64_t block) {
    for (std::int64_t o = 0; o < out_channels; ++o) {
      Vector g[3][3];
      for (int tap = 0; tap < 9; ++tap) {
        load(g[2 - tap / 3][2 - tap % 3], weight + (o * 9 + tap) * in + block * kLanes);
      }
      transform_kernels(g, to + (block * out_channels + o) * kLanes, point_stride);
    }
  });
}

/// dg = G^T m G, m being the sum of `parts` buffers [block of inputs][block of outputs][nu][xi][input][output].
inline void transform_weight_gradient(const float* sums, std::int64_t parts, int in_channels, int out_channels,
                                      float* dweight) {
  const std::int64_t in = in_channels;
  const std::int64_t out_blocks = out_channels / kLanes;
  const std::int64_t part_stride = std::int64_t{kPoints} * kPoints * in_channels * out_channels;
  for_each_chunk(in / kLanes * out_blocks, [&](std::int64_t pair) {
    const std::int64_t in_block = pair / out_blocks;
    const std::int64_t out_block = pair % out_blocks;
    KernelPatch patch;
    for (int i = 0; i < kLanes; ++i) {
      const float* from = sums + pair * kPoints * kPoints * kPairFloats + i * kLanes;
      Vector columns[3][kPoints];
      for (int nu = 0; nu < kPoints; ++nu) {
        Vector m[kPoints] = {};
        for (std::int64_t part = 0; part < parts; ++part) {
          for (int xi = 0; xi < kPoints; ++xi) {
            Vector term;
            load(term, from + part * part_stride + (nu * kPoints + xi) * kPairFloats);
            m[xi] += term;
          }
        }
        Vector g[3];
        weight_gradient_1d(m, g);
        for (int r = 0; r < 3; ++r) columns[r][nu] = g[r];
      }
      for (int r = 0; r < 3; ++r) {
        Vector g[3];
        weight_gradient_1d(columns[r], g);
        for (int s = 0; s < 3; ++s) store(patch.taps[r * 3 + s][i], g[s]);
      }
    }
    patch.write(dweight + out_block * kLanes * 9 * in + in_block * kLanes, in);
  });
}

}  // namespace retort::cpu::winograd
