// Tiles in registers: a block computes 64 pixels x 64 channels with 128 threads, a thread 8 x 4 of them. For each term
// it reads 8 + 4 entries of shared memory and makes 32 products of them, where v2 made one of two.
#include "bench/lab/convolution/window.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using namespace retort::RETORT_CUDA_NAMESPACE;

constexpr int kThreads = 128;
constexpr int kTile = 64;                    ///< pixels and channels of a block
constexpr int kChunk = 16;                   ///< terms at a time
constexpr int kPixels = 8;                   ///< of a thread: one of every kLines
constexpr int kChannels = 4;                 ///< of a thread: one of every kColumns
constexpr int kLines = kTile / kPixels;      ///< 8
constexpr int kColumns = kTile / kChannels;  ///< 16
static_assert(kLines * kColumns == kThreads && kColumns == kChunk);

__global__ void __launch_bounds__(kThreads) kernel(Convolution p) {
  __shared__ float pixels[kTile][kChunk];
  __shared__ float filters[kTile][kChunk];
  const auto* x = static_cast<const float*>(p.x);
  const auto* filter = static_cast<const float*>(p.filter);
  const int line = static_cast<int>(threadIdx.x) / kColumns;
  const int column = static_cast<int>(threadIdx.x) % kColumns;
  const int first_pixel = static_cast<int>(blockIdx.x) * kTile;
  const int first_channel = static_cast<int>(blockIdx.y) * kTile;
  Window windows[kPixels];
#pragma unroll
  for (int i = 0; i < kPixels; ++i) windows[i] = Window::of(p, first_pixel + line + i * kLines);
  float sums[kPixels][kChannels] = {};
  for (int first = 0; first < p.terms(); first += kChunk) {
    const Term term = Term::of(p, first + column);
#pragma unroll
    for (int i = 0; i < kPixels; ++i) {
      const int row = line + i * kLines;
      const int in_x = windows[i].element(p, term);
      const int in_filter = filter_element(p, first_channel + row, first + column);
      pixels[row][column] = in_x >= 0 ? x[in_x] : 0.0F;
      filters[row][column] = in_filter >= 0 ? filter[in_filter] : 0.0F;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kChunk; ++k) {
      float left[kPixels];
      float right[kChannels];
#pragma unroll
      for (int i = 0; i < kPixels; ++i) left[i] = pixels[line + i * kLines][k];
#pragma unroll
      for (int j = 0; j < kChannels; ++j) right[j] = filters[column + j * kColumns][k];
#pragma unroll
      for (int i = 0; i < kPixels; ++i) {
#pragma unroll
        for (int j = 0; j < kChannels; ++j) sums[i][j] += left[i] * right[j];
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

void convolution_v3(const Launch& at, const Convolution& p) {
  const dim3 grid(static_cast<unsigned>((p.pixels() - 1) / kTile + 1),
                  static_cast<unsigned>((p.shape.out_channels - 1) / kTile + 1));
  launch(at, "convolution_v3", &kernel, grid, kThreads, 0, p);
}

}  // namespace retort::lab
