// Sixteen bytes at a time: four neighbouring terms are brought by one load, put into shared memory by one store and
// read from there by one load, and rows are shifted against each other (swizzle.h) so that lanes do not meet in a bank.
// Four terms have to belong to one tap: the number of input channels is a multiple of four.
#include "bench/lab/convolution/swizzle.h"
#include "bench/lab/convolution/window.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using namespace retort::RETORT_CUDA_NAMESPACE;

using Quad = Pack<float, 4>;
using Tile = SwizzledTile<float>;

constexpr int kThreads = 128;
constexpr int kTile = Tile::kRows;
constexpr int kChunk = Tile::kColumns;
constexpr int kPixels = 8;
constexpr int kChannels = 4;
constexpr int kLines = kTile / kPixels;
constexpr int kColumns = kTile / kChannels;
constexpr int kRowsAtOnce = kThreads / Tile::kPacks;  ///< that the block brings with one load a thread
constexpr int kLoads = kTile / kRowsAtOnce;

__global__ void __launch_bounds__(kThreads) kernel(Convolution p) {
  __shared__ Tile pixels;
  __shared__ Tile filters;
  const auto* x = static_cast<const float*>(p.x);
  const auto* filter = static_cast<const float*>(p.filter);
  const int first_pixel = static_cast<int>(blockIdx.x) * kTile;
  const int first_channel = static_cast<int>(blockIdx.y) * kTile;
  // What this thread brings ...
  const int pack = static_cast<int>(threadIdx.x) % Tile::kPacks;
  const int first_row = static_cast<int>(threadIdx.x) / Tile::kPacks;
  Window windows[kLoads];
#pragma unroll
  for (int i = 0; i < kLoads; ++i) windows[i] = Window::of(p, first_pixel + first_row + i * kRowsAtOnce);
  // ... and what it computes.
  const int line = static_cast<int>(threadIdx.x) / kColumns;
  const int column = static_cast<int>(threadIdx.x) % kColumns;
  float sums[kPixels][kChannels] = {};
  for (int first = 0; first < p.terms(); first += kChunk) {
    const Term term = Term::of(p, first + 4 * pack);
#pragma unroll
    for (int i = 0; i < kLoads; ++i) {
      const int row = first_row + i * kRowsAtOnce;
      const int in_x = windows[i].element(p, term);
      const int in_filter = filter_element(p, first_channel + row, first + 4 * pack);
      store_pack(pixels.pack(row, pack), in_x >= 0 ? load_pack<4>(x + in_x) : Quad{});
      store_pack(filters.pack(row, pack), in_filter >= 0 ? load_pack<4>(filter + in_filter) : Quad{});
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < Tile::kPacks; ++k) {
      Quad right[kChannels];
#pragma unroll
      for (int j = 0; j < kChannels; ++j) right[j] = load_pack<4>(filters.pack(column + j * kColumns, k));
#pragma unroll
      for (int i = 0; i < kPixels; ++i) {
        const Quad left = load_pack<4>(pixels.pack(line + i * kLines, k));
#pragma unroll
        for (int j = 0; j < kChannels; ++j) {
#pragma unroll
          for (int t = 0; t < 4; ++t) sums[i][j] += left.v[t] * right[j].v[t];
        }
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < kPixels; ++i) {
#pragma unroll
    for (int j = 0; j < kChannels; ++j) {
      const int pixel = first_pixel + line + i * kLines;
      const int channel = first_channel + column + j * kColumns;
      if (pixel >= p.pixels() || channel >= p.shape.out_channels) continue;
      static_cast<float*>(p.y)[pixel * p.shape.out_channels + channel] = sums[i][j];
    }
  }
}

}  // namespace

void convolution_v4(const Launch& at, const Convolution& p) {
  const dim3 grid(static_cast<unsigned>((p.pixels() - 1) / kTile + 1),
                  static_cast<unsigned>((p.shape.out_channels - 1) / kTile + 1));
  launch(at, "convolution_v4", &kernel, grid, kThreads, 0, p);
}

}  // namespace retort::lab
