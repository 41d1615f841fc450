// Means over all pixels. A block takes one image and a group of channels: `across` pieces of channels side by side, so
// that reads coalesce, and `down` threads for each, which share the pixels.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pooling_channels.h"
#include "kernels/pooling.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;
constexpr int kMostAcross = 32;

/// across and down are powers of two; the block is across * down threads.
template <typename T, bool kWide>
__global__ void forward_kernel(int positions, int channels, int across, int down, int groups, const T* x, float* y) {
  using Piece = Channels<T, kWide>;
  __shared__ float sums[Piece::kCount][kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / across;
  const std::int64_t image = blockIdx.x / groups;
  const int channel = (static_cast<int>(blockIdx.x % groups) * across + thread % across) * Piece::kCount;
  const bool inside = channel < channels;

  Piece sum{};
  if (inside) {
    const T* first = x + image * positions * channels + channel;
    for (int p = row; p < positions; p += down) {
      const Piece value = Piece::load(first + std::int64_t{p} * channels);
      for (int c = 0; c < Piece::kCount; ++c) sum.v[c] += value.v[c];
    }
  }
  for (int c = 0; c < Piece::kCount; ++c) sums[c][thread] = sum.v[c];
  for (int half = down / 2; half > 0; half /= 2) {
    __syncthreads();
    if (row < half) {
      for (int c = 0; c < Piece::kCount; ++c) sums[c][thread] += sums[c][thread + half * across];
    }
  }
  if (row > 0 || !inside) return;
  for (int c = 0; c < Piece::kCount; ++c) {
    y[image * channels + channel + c] = sums[c][thread] / static_cast<float>(positions);
  }
}

template <typename T, bool kWide>
__global__ void backward_kernel(int positions, int channels, std::int64_t n, const float* dy, T* dx) {
  using Piece = Channels<T, kWide>;
  const int pieces = channels / Piece::kCount;
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) {
    const std::int64_t pixel = i / pieces;
    const float* from = dy + pixel / positions * channels + (i - pixel * pieces) * Piece::kCount;
    Piece gradient;
    for (int c = 0; c < Piece::kCount; ++c) gradient.v[c] = from[c] / static_cast<float>(positions);
    gradient.store(dx + i * Piece::kCount);
  }
}

/// The least power of two that is not below n, at most `most` (one too).
int power_of_two(int n, int most) {
  int power = 1;
  while (power < n && power < most) power *= 2;
  return power;
}

}  // namespace

void global_avg_pool_forward(const Launch& at, int batch, int positions, int channels, DType dtype, const void* x,
                             float* y) {
  if (batch == 0 || channels == 0) return;
  with_type(dtype, [&](auto type) {
    with_channels<decltype(type)>(channels, wide(x), [&](auto constant) {
      using T = decltype(type);
      constexpr bool kWide = constant();
      const int pieces = channels / Channels<T, kWide>::kCount;
      const int across = power_of_two(pieces, kMostAcross);
      const int down = power_of_two(positions, kThreads / across);
      const int groups = (pieces + across - 1) / across;
      launch(at, "global_avg_pool_forward", &forward_kernel<T, kWide>, batch * groups, across * down, 0, positions,
             channels, across, down, groups, static_cast<const T*>(x), y);
    });
  });
}

void global_avg_pool_backward(const Launch& at, int batch, int positions, int channels, DType dtype, const float* dy,
                              void* dx) {
  if (batch == 0 || positions == 0 || channels == 0) return;
  with_type(dtype, [&](auto type) {
    with_channels<decltype(type)>(channels, wide(dx), [&](auto constant) {
      using T = decltype(type);
      constexpr bool kWide = constant();
      const std::int64_t n = std::int64_t{batch} * positions * (channels / Channels<T, kWide>::kCount);
      launch(at, "global_avg_pool_backward", &backward_kernel<T, kWide>, striding_blocks(n, kThreads), kThreads, 0,
             positions, channels, n, dy, static_cast<T*>(dx));
    });
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
