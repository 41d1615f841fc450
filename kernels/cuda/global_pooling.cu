// Means over all pixels. A block takes one image and a group of channels: `across` pieces of channels side by side, so
// that reads coalesce, and `down` threads for each, which share the pixels.
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"
#include "kernels/pooling.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;
constexpr int kMostAcross = 32;

template <typename T, int kCount>
__global__ void forward_kernel(int positions, int channels, int groups, const T* x, float* y) {
  const std::int64_t image = blockIdx.x / groups;
  const int channel = static_cast<int>((blockIdx.x % groups * blockDim.x + threadIdx.x) * kCount);
  const bool inside = channel < channels;
  Floats<kCount> sums[1];
  if (inside) {
    const T* first = x + image * positions * channels + channel;
    for (int p = static_cast<int>(threadIdx.y); p < positions; p += static_cast<int>(blockDim.y)) {
      const auto value = Floats<kCount>::load(first + std::int64_t{p} * channels);
      for (int c = 0; c < kCount; ++c) sums[0].v[c] += value.v[c];
    }
  }
  add_thread_rows<kThreads>(positions, sums);
  if (threadIdx.y > 0 || !inside) return;
  for (int c = 0; c < kCount; ++c) y[image * channels + channel + c] = sums[0].v[c] / static_cast<float>(positions);
}

template <typename T, int kCount>
__global__ void backward_kernel(int positions, int channels, std::int64_t n, const float* dy, T* dx) {
  using Piece = Floats<kCount>;
  const int pieces = channels / kCount;
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) {
    const std::int64_t pixel = i / pieces;
    const float* from = dy + pixel / positions * channels + (i - pixel * pieces) * kCount;
    Piece gradient;
    for (int c = 0; c < kCount; ++c) gradient.v[c] = from[c] / static_cast<float>(positions);
    gradient.store(dx + i * kCount);
  }
}

}  // namespace

void global_avg_pool_forward(const Launch& at, int batch, int positions, int channels, DType dtype, const void* x,
                             float* y) {
  if (batch == 0 || channels == 0) return;
  with_type(dtype, [&](auto type) {
    with_pack<decltype(type)>(channels, wide(x), [&](auto count) {
      using T = decltype(type);
      constexpr int kCount = count();
      const int pieces = channels / kCount;
      const int across = std::min(pieces, kMostAcross);
      const int down = std::clamp(positions, 1, kThreads / across);
      const int groups = (pieces + across - 1) / across;
      launch(at, "global_avg_pool_forward", &forward_kernel<T, kCount>, batch * groups, dim3(across, down), 0,
             positions, channels, groups, static_cast<const T*>(x), y);
    });
  });
}

void global_avg_pool_backward(const Launch& at, int batch, int positions, int channels, DType dtype, const float* dy,
                              void* dx) {
  if (batch == 0 || positions == 0 || channels == 0) return;
  with_type(dtype, [&](auto type) {
    with_pack<decltype(type)>(channels, wide(dx), [&](auto count) {
      using T = decltype(type);
      constexpr int kCount = count();
      const std::int64_t n = std::int64_t{batch} * positions * (channels / kCount);
      launch(at, "global_avg_pool_backward", &backward_kernel<T, kCount>, striding_blocks(n, kThreads), kThreads, 0,
             positions, channels, n, dy, static_cast<T*>(dx));
    });
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
