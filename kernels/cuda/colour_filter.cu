// Forward a thread a number; backward a block an image for scale and shift, and a block a weight.
#include "kernels/colour_filter.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;
constexpr int kSide = ColourFilterShape::kSide;
constexpr int kMargin = ColourFilterShape::kMargin;

/// Channel o at (h, w) of the convolved image, and of 1 inside of it.
struct Filtered {
  float image = 0, ones = 0;
};

__device__ Filtered filter(const ColourFilterShape& shape, const float* image, const float* weight, int h, int w,
                           int o) {
  Filtered out;
  for (int dy = 0; dy < kSide; ++dy) {
    const int row = h + dy - kMargin;
    if (row < 0 || row >= shape.height) continue;
    for (int dx = 0; dx < kSide; ++dx) {
      const int column = w + dx - kMargin;
      if (column < 0 || column >= shape.width) continue;
      const float* from = image + (std::int64_t{row} * shape.width + column) * shape.channels;
      const float* own = weight + ((o * kSide + dy) * kSide + dx) * shape.channels;
      for (int c = 0; c < shape.channels; ++c) {
        out.image += own[c] * from[c];
        out.ones += own[c];
      }
    }
  }
  return out;
}

__global__ void filter_kernel(const __grid_constant__ ColourFilterShape shape, const float* x, const float* scale_shift,
                              const float* weight, float* y) {
  const std::int64_t numbers = std::int64_t{shape.height} * shape.width * shape.channels;
  for (std::int64_t i = grid_thread(); i < shape.rows * numbers; i += grid_threads()) {
    const std::int64_t n = i / numbers;
    const auto j = static_cast<int>(i - n * numbers);
    const int pixel = j / shape.channels;
    const Filtered found =
        filter(shape, x + n * numbers, weight, pixel / shape.width, pixel % shape.width, j % shape.channels);
    y[i] = scale_shift[2 * n] * found.image + scale_shift[2 * n + 1] * found.ones;
  }
}

__global__ void scale_shift_gradient_kernel(const __grid_constant__ ColourFilterShape shape, const float* x,
                                            const float* weight, const float* dy, float* dscale_shift) {
  __shared__ double scratch[2][kThreads / kWarp];
  const int numbers = shape.height * shape.width * shape.channels;
  const std::int64_t first = std::int64_t{blockIdx.x} * numbers;
  double to_scale = 0;
  double to_shift = 0;
  for (int j = static_cast<int>(threadIdx.x); j < numbers; j += kThreads) {
    const int pixel = j / shape.channels;
    const Filtered found =
        filter(shape, x + first, weight, pixel / shape.width, pixel % shape.width, j % shape.channels);
    to_scale += dy[first + j] * found.image;
    to_shift += dy[first + j] * found.ones;
  }
  to_scale = block_sum<kThreads>(to_scale, scratch[0]);
  to_shift = block_sum<kThreads>(to_shift, scratch[1]);
  if (threadIdx.x != 0) return;
  dscale_shift[2 * std::int64_t{blockIdx.x}] = static_cast<float>(to_scale);
  dscale_shift[2 * std::int64_t{blockIdx.x} + 1] = static_cast<float>(to_shift);
}

__global__ void weight_gradient_kernel(const __grid_constant__ ColourFilterShape shape, const float* x,
                                       const float* scale_shift, const float* dy, float* dweight) {
  __shared__ double scratch[kThreads / kWarp];
  const int self = static_cast<int>(blockIdx.x);
  const int c = self % shape.channels;
  const int dx = self / shape.channels % kSide - kMargin;
  const int dh = self / shape.channels / kSide % kSide - kMargin;
  const int o = self / shape.channels / (kSide * kSide);
  const int pixels = shape.height * shape.width;
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < std::int64_t{shape.rows} * pixels; i += kThreads) {
    const auto n = static_cast<int>(i / pixels);
    const auto pixel = static_cast<int>(i - std::int64_t{n} * pixels);
    const int row = pixel / shape.width + dh;
    const int column = pixel % shape.width + dx;
    if (row < 0 || row >= shape.height || column < 0 || column >= shape.width) continue;
    const float from = x[((std::int64_t{n} * shape.height + row) * shape.width + column) * shape.channels + c];
    sum += dy[i * shape.channels + o] * (scale_shift[2 * n] * from + scale_shift[2 * n + 1]);
  }
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) dweight[self] = static_cast<float>(sum);
}

}  // namespace

std::size_t colour_filter_workspace(const ColourFilterShape&) {
  return 0;
}

void colour_filter_forward(const Launch& at, const ColourFilterShape& shape, const float* x, const float* scale_shift,
                           const float* weight, float* y) {
  const std::int64_t n = std::int64_t{shape.rows} * shape.height * shape.width * shape.channels;
  if (n == 0) return;
  launch(at, "colour_filter", &filter_kernel, striding_blocks(n, kThreads), kThreads, 0, shape, x, scale_shift, weight,
         y);
}

void colour_filter_backward(const Launch& at, const ColourFilterShape& shape, const float* x, const float* scale_shift,
                            const float* weight, const float* dy, float* dscale_shift, float* dweight) {
  if (shape.rows > 0) {
    launch(at, "colour_filter gradient", &scale_shift_gradient_kernel, static_cast<unsigned>(shape.rows), kThreads, 0,
           shape, x, weight, dy, dscale_shift);
  }
  if (dweight == nullptr) return;
  launch(at, "colour_filter weight gradient", &weight_gradient_kernel, static_cast<unsigned>(shape.weights()), kThreads,
         0, shape, x, scale_shift, dy, dweight);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
