// The images of a convolution cut into output tiles of 4x4 pixels, and the transforms of runs of such tiles.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/winograd_gemm.h"

namespace retort::cpu::winograd {

/// Images as the tiles see them; tiles are numbered image by image, row by row.
struct Images {
  std::int64_t batch, height, width;

  std::int64_t tile_rows() const { return (height + kPixels - 1) / kPixels; }
  std::int64_t tile_columns() const { return (width + kPixels - 1) / kPixels; }
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

/// Where the transforms of a group of tiles go: [nu][channel block][tile][xi][channel].
struct TileBuffer {
  float* data;
  std::int64_t tiles;  ///< room for so many
  std::int64_t blocks;

  std::int64_t block_stride() const { return tiles * kTileFloats; }
  std::int64_t nu_stride() const { return blocks * block_stride(); }
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
  const std::int64_t begin = kPixels * run.column;
  const std::int64_t end = kPixels * (run.column + run.count);
  for (std::int64_t block = 0; block < to.blocks; ++block) {
    const float* rows[kPoints];
    for (int r = 0; r < kPoints; ++r) {
      const std::int64_t h = kPixels * run.row - 1 + r;
      const bool inside = h >= 0 && h < images.height;
      rows[r] = (inside ? x + (run.image * images.height + h) * images.width * channels : zeros) + block * kLanes;
    }
    Vector columns[kPoints][kPoints];  // [xi][column]
    const auto transform_column = [&](std::int64_t w, int c) __attribute__((always_inline)) {
      Vector d[kPoints] = {};
      if (w >= 0 && w < width) {
#pragma GCC unroll 6
        for (int r = 0; r < kPoints; ++r) load(d[r], rows[r] + w * channels);
      }
      Vector v[kPoints];
      input_1d(d, v);
#pragma GCC unroll 6
      for (int xi = 0; xi < kPoints; ++xi) columns[xi][c] = v[xi];
    };
    float* at = to.at(0, block, run.first);
    const std::int64_t nu_stride = to.nu_stride();
    // Neighbours share two of their six columns.
    constexpr int kShared = kPoints - kPixels;
    for (int c = 0; c < kShared; ++c) transform_column(begin - 1 + c, c);
    for (std::int64_t w = begin; w < end; w += kPixels, at += kTileFloats) {
      for (int c = kShared; c < kPoints; ++c) transform_column(w - 1 + c, c);
#pragma GCC unroll 1
      for (int xi = 0; xi < kPoints; ++xi) {
        Vector v[kPoints];
        input_1d(columns[xi], v);
#pragma GCC unroll 6
        for (int nu = 0; nu < kPoints; ++nu) store(at + nu * nu_stride + xi * kLanes, v[nu]);
        for (int c = 0; c < kShared; ++c) columns[xi][c] = columns[xi][kPixels + c];
      }
    }
  }
}

/// A dY A^T of a run.
inline void transform_output_gradient(const Images& images, const float* dy, const Run& run, const TileBuffer& to) {
  const std::int64_t channels = to.blocks * kLanes;
  const std::int64_t width = images.width;
  const std::int64_t height = std::min<std::int64_t>(kPixels, images.height - kPixels * run.row);
  const float* first = dy + (run.image * images.height + kPixels * run.row) * width * channels;
  const std::int64_t nu_stride = to.nu_stride();
  const std::int64_t end = kPixels * (run.column + run.count);
  for (std::int64_t block = 0; block < to.blocks; ++block) {
    float* at = to.at(0, block, run.first);
    for (std::int64_t w0 = kPixels * run.column; w0 < end; w0 += kPixels, at += kTileFloats) {
      Vector columns[kPoints][kPixels];  // [xi][column]
      for (int c = 0; c < kPixels; ++c) {
        Vector pixels[kPixels] = {};
        if (w0 + c < width) {
          const float* from = first + (w0 + c) * channels + block * kLanes;
          for (std::int64_t r = 0; r < height; ++r) load(pixels[r], from + r * width * channels);
        }
        Vector z[kPoints];
        output_gradient_1d(pixels, z);
#pragma GCC unroll 6
        for (int xi = 0; xi < kPoints; ++xi) columns[xi][c] = z[xi];
      }
#pragma GCC unroll 1
      for (int xi = 0; xi < kPoints; ++xi) {
        Vector z[kPoints];
        output_gradient_1d(columns[xi], z);
#pragma GCC unroll 6
        for (int nu = 0; nu < kPoints; ++nu) store(at + nu * nu_stride + xi * kLanes, z[nu]);
      }
    }
  }
}

/// Adds a run's pixels up, channel by channel.
inline void add_pixels(const Images& images, const float* dy, const Run& run, std::int64_t blocks, double* sums) {
  const std::int64_t channels = blocks * kLanes;
  const std::int64_t begin = kPixels * run.column;
  const std::int64_t end = std::min(images.width, kPixels * (run.column + run.count));
  const std::int64_t rows = std::min<std::int64_t>(kPixels, images.height - kPixels * run.row);
  for (std::int64_t block = 0; block < blocks; ++block) {
    Vector sum = {};
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t line = (run.image * images.height + kPixels * run.row + r) * images.width;
      for (std::int64_t w = begin; w < end; ++w) {
        Vector pixel;
        load(pixel, dy + (line + w) * channels + block * kLanes);
        sum += pixel;
      }
    }
    for (int k = 0; k < kLanes; ++k) sums[block * kLanes + k] += sum[k];
  }
}

/// What is done to an output pixel's block of channels before it is written: relu?(pixel + bias + residual).
template <bool kResidual, bool kRelu>
inline __attribute__((always_inline)) void finish_pixel(Vector& pixel, const Vector& bias,
                                                        [[maybe_unused]] const float* residual) {
  pixel += bias;
  if constexpr (kResidual) {
    Vector addend;
    load(addend, residual);
    pixel += addend;
  }
  if constexpr (kRelu) pixel = pixel < Vector{} ? Vector{} : pixel;  // NaN stays
}

/// A^T m A of a run's tiles in block `block` of `from`, finished with the bias of the channels that begin at `channel`
/// and, with kResidual, with the image that has the layout of y.
template <bool kResidual, bool kRelu>
inline void transform_output(const Images& images, const TileBuffer& from, std::int64_t block, const Run& run,
                             const Vector& bias, const float* residual, float* y, std::int64_t channels,
                             std::int64_t channel) {
  const std::int64_t width = images.width;
  const std::int64_t begin = kPixels * run.column;
  const std::int64_t end = kPixels * (run.column + run.count);
  const std::int64_t rows = std::min<std::int64_t>(kPixels, images.height - kPixels * run.row);
  const std::int64_t nu_stride = from.nu_stride();
  const std::int64_t corner = ((run.image * images.height + kPixels * run.row) * width + begin) * channels + channel;
  float* to = y + corner;
  const float* addends = kResidual ? residual + corner : nullptr;
  const float* at = from.at(0, block, run.first);
  for (std::int64_t w = begin; w < end; w += kPixels, to += kPixels * channels, at += kTileFloats) {
    Vector columns[kPixels][kPoints];  // [row][nu]
    for (int nu = 0; nu < kPoints; ++nu) {
      Vector m[kPoints];
#pragma GCC unroll 6
      for (int xi = 0; xi < kPoints; ++xi) load(m[xi], at + nu * nu_stride + xi * kLanes);
      Vector v[kPixels];
      output_1d(m, v);
#pragma GCC unroll 4
      for (int r = 0; r < kPixels; ++r) columns[r][nu] = v[r];
    }
    const std::int64_t inside = std::min<std::int64_t>(kPixels, width - w);
    for (std::int64_t r = 0; r < rows; ++r) {
      Vector pixels[kPixels];
      output_1d(columns[r], pixels);
      const auto finish = [&](std::int64_t c) __attribute__((always_inline)) {
        const std::int64_t at = r * width * channels + c * channels;
        finish_pixel<kResidual, kRelu>(pixels[c], bias, addends + (kResidual ? at : 0));
        store(to + at, pixels[c]);
      };
      if (inside == kPixels) {
#pragma GCC unroll 4
        for (int c = 0; c < kPixels; ++c) finish(c);
      } else {
        for (int c = 0; c < inside; ++c) finish(c);
      }
    }
    if constexpr (kResidual) addends += kPixels * channels;
  }
}

}  // namespace retort::cpu::winograd
