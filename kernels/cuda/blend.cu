// Forward a thread a number, backward a block for each image and version.
#include "kernels/blend.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void blend_kernel(const __grid_constant__ BlendShape shape, const __grid_constant__ BlendedVersions versions,
                             const float* x, const float* share, T* y) {
  for (std::int64_t i = grid_thread(); i < shape.rows * shape.numbers; i += grid_threads()) {
    const std::int64_t n = i / shape.numbers;
    const auto c = static_cast<int>((i - n * shape.numbers) % shape.channels);
    float sum = x[i];
    for (int k = 0; k < versions.count; ++k) sum += share[k * shape.rows + n] * (versions.version[k][i] - x[i]);
    y[i] = static_cast<T>(sum * shape.map.scale[c] + shape.map.shift[c]);
  }
}

template <typename T>
__global__ void blend_gradient_kernel(const __grid_constant__ BlendShape shape,
                                      const __grid_constant__ BlendedVersions versions, const float* x,
                                      const float* share, const T* dy, float* dshare) {
  __shared__ double scratch[kThreads / kWarp];
  const std::int64_t n = blockIdx.x;
  const int k = static_cast<int>(blockIdx.y);
  const std::int64_t first = n * shape.numbers;
  const float* version = versions.version[k] + first;
  float* dversion = versions.dversion[k] != nullptr ? versions.dversion[k] + first : nullptr;
  const float own = share[k * shape.rows + n];
  double sum = 0;
  for (std::int64_t j = threadIdx.x; j < shape.numbers; j += kThreads) {
    const float g = static_cast<float>(dy[first + j]) * shape.map.scale[j % shape.channels];
    sum += g * (version[j] - x[first + j]);
    if (dversion != nullptr) dversion[j] = own * g;
  }
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) dshare[k * shape.rows + n] = static_cast<float>(sum);
}

}  // namespace

void blend_forward(const Launch& at, const BlendShape& shape, const BlendedVersions& versions, const float* x,
                   const float* share, void* y) {
  const std::int64_t n = shape.rows * shape.numbers;
  if (n == 0) return;
  const auto start = [&](auto* to) {
    launch(at, "blend", &blend_kernel<std::remove_pointer_t<decltype(to)>>, striding_blocks(n, kThreads), kThreads, 0,
           shape, versions, x, share, to);
  };
  if (shape.dtype == DType::bf16) return start(static_cast<bfloat16*>(y));
  start(static_cast<float*>(y));
}

void blend_backward(const Launch& at, const BlendShape& shape, const BlendedVersions& versions, const float* x,
                    const float* share, const void* dy, float* dshare) {
  if (shape.rows == 0 || versions.count == 0) return;
  const dim3 grid(static_cast<unsigned>(shape.rows), static_cast<unsigned>(versions.count));
  const auto start = [&](const auto* from) {
    launch(at, "blend gradient", &blend_gradient_kernel<std::remove_cvref_t<decltype(*from)>>, grid, kThreads, 0, shape,
           versions, x, share, from, dshare);
  };
  if (shape.dtype == DType::bf16) return start(static_cast<const bfloat16*>(dy));
  start(static_cast<const float*>(dy));
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
