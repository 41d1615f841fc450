// The images of a convolution cut into output tiles of 2x2 pixels, and the transforms of runs of such tiles.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/winograd_gemm.h"
#include "kernels/cpu/winograd_transform.h"

namespace retort::cpu::winograd {

/// Images as the tiles see them; tiles are numbered image by image, row by row.
struct Images {
  std::int64_t batch, height, width;

  std::int64_t tile_rows() const { return (height + 1) / 2; }
  std::int64_t tile_columns() const { return (width + 1) / 2; }
  std::int64_t tiles() const { return batch * tile_rows() * tile_columns(); }
};

/// Neighbouring tiles in one row of tiles of one image.
struct Run {
  std::int64_t image, row, column;  ///< of the first tile
  std::int64_t first, count;        ///< place of the first tile among the tiles that are cut up
};

/// Cuts tiles [begin, end) into runs.
template <typename Body>
void for_runs(const Images& images, std::int64_t begin, std::int64_t end, const Body& body) {
  const std::int64_t columns = images.tile_columns();
  for (std::int64_t tile = begin; tile < end;) {
    const std::int64_t line = tile / columns;
    const std::int64_t column = tile % columns;
    const std::int64_t count = std::min(end - tile, columns - column);
    body(Run{line / images.tile_rows(), line % images.tile_rows(), column, tile - begin, count});
    tile += count;
  }
}

/// Where the transform of a group of tiles goes: [nu][channel block][tile][xi][16 channels].
struct TileBuffer {
  float* data;
  std::int64_t tiles;  ///< room for so many
  std::int64_t blocks;

  std::int64_t block_stride() const { return tiles * kTileFloats; }
  float* at(int nu, std::int64_t block, std::int64_t tile) const {
    return data + ((nu * blocks + block) * tiles + tile) * kTileFloats;
  }
  static std::int64_t floats(std::int64_t tiles, std::int64_t blocks) { return kPoints * blocks * tiles * kTileFloats; }
};

/// B^T d B of a run. `zeros` is an image row of zeros, for the rows above and below the image.
inline void transform_input(const Images& images, const float* x, const float* zeros, const Run& run,
                            const TileBuffer& to) {
  const std::int64_t channels = to.blocks * kLanes;
  const std::int64_t width = images.width;
  for (std::int64_t block = 0; block < to.blocks; ++block) {
    const float* rows[4];
    for (int r = 0; r < 4; ++r) {
      const std::int64_t h = 2 * run.row - 1 + r;
      const bool inside = h >= 0 && h < images.height;
      rows[r] = (inside ? x + (run.image * images.height + h) * images.width * channels : zeros) + block * kLanes;
    }
    const auto column = [&](std::int64_t w, Vector16(&out)[4]) __attribute__((always_inline)) {
      Vector16 d[4] = {};
      if (w >= 0 && w < width) {
        for (int r = 0; r < 4; ++r) load(d[r], rows[r] + w * channels);
      }
      input_1d(d[0], d[1], d[2], d[3], out);
    };
    // Neighbours share two of their four columns.
    float* at[kPoints];
    for (int nu = 0; nu < kPoints; ++nu) at[nu] = to.at(nu, block, run.first);
    Vector16 c[4][4];
    column(2 * run.column - 1, c[0]);
    column(2 * run.column, c[1]);
    const std::int64_t end = 2 * (run.column + run.count);
    for (std::int64_t w = 2 * run.column; w < end; w += 2) {
      column(w + 1, c[2]);
      column(w + 2, c[3]);
#pragma GCC unroll 4
      for (int xi = 0; xi < kPoints; ++xi) {
        Vector16 v[4];
        input_1d(c[0][xi], c[1][xi], c[2][xi], c[3][xi], v);
#pragma GCC unroll 4
        for (int nu = 0; nu < kPoints; ++nu) store(at[nu] + xi * kLanes, v[nu]);
      }
#pragma GCC unroll 4
      for (int nu = 0; nu < kPoints; ++nu) at[nu] += kTileFloats;
#pragma GCC unroll 4
      for (int xi = 0; xi < kPoints; ++xi) {
        c[0][xi] = c[2][xi];
        c[1][xi] = c[3][xi];
      }
    }
  }
}

/// A dY A^T of a run.
inline void transform_output_gradient(const Images& images, const float* dy, const Run& run, const TileBuffer& to) {
  const std::int64_t channels = to.blocks * kLanes;
  const float* upper = dy + (run.image * images.height + 2 * run.row) * images.width * channels;
  const float* lower = 2 * run.row + 1 < images.height ? upper + images.width * channels : nullptr;
  const std::int64_t width = images.width;
  const std::int64_t end = 2 * (run.column + run.count);
  for (std::int64_t block = 0; block < to.blocks; ++block) {
    float* at[kPoints];
    for (int nu = 0; nu < kPoints; ++nu) at[nu] = to.at(nu, block, run.first);
    for (std::int64_t w0 = 2 * run.column; w0 < end; w0 += 2) {
      Vector16 c[2][4];
#pragma GCC unroll 2
      for (int s = 0; s < 2; ++s) {
        const std::int64_t w = w0 + s;
        Vector16 y0 = {}, y1 = {};
        if (w < width) {
          load(y0, upper + w * channels + block * kLanes);
          if (lower != nullptr) load(y1, lower + w * channels + block * kLanes);
        }
        output_gradient_1d(y0, y1, c[s]);
      }
#pragma GCC unroll 4
      for (int xi = 0; xi < kPoints; ++xi) {
        Vector16 z[4];
        output_gradient_1d(c[0][xi], c[1][xi], z);
#pragma GCC unroll 4
        for (int nu = 0; nu < kPoints; ++nu) store(at[nu] + xi * kLanes, z[nu]);
      }
#pragma GCC unroll 4
      for (int nu = 0; nu < kPoints; ++nu) at[nu] += kTileFloats;
    }
  }
}

/// The columns' half of A^T m A, plus the bias of the sixteen channels that begin at `channel`. `half` is what
/// multiply() left of the group of tiles that the run belongs to.
inline void transform_output(const Images& images, const float* half, const Run& run, const Vector16& bias, float* y,
                             std::int64_t channels, std::int64_t channel) {
  const bool both = 2 * run.row + 1 < images.height;
  float* upper = y + ((run.image * images.height + 2 * run.row) * images.width + 2 * run.column) * channels + channel;
  const std::int64_t width = images.width;
  const std::int64_t end = 2 * (run.column + run.count);
  const float* from = half + run.first * kHalfFloats;
  for (std::int64_t w = 2 * run.column; w < end; w += 2, upper += 2 * channels, from += kHalfFloats) {
    const bool right = w + 1 < width;
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
      if (r == 1 && !both) break;
      Vector16 m[4];
#pragma GCC unroll 4
      for (int nu = 0; nu < kPoints; ++nu) load(m[nu], from + (2 * nu + r) * kLanes);
      float* to = upper + r * width * channels;
      store(to, m[0] + m[1] + m[2] + bias);
      if (right) store(to + channels, m[1] - m[2] - m[3] + bias);
    }
  }
}

}  // namespace retort::cpu::winograd
