// Equalize: a block has a channel of an image, and a thread a level. Cutout and invert: a thread a number.
#include "kernels/cuda/launch.h"
#include "kernels/fixed_operations.h"
#include "kernels/transform_randomness.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kLevels = 256;
constexpr int kThreads = 256;
static_assert(kThreads == kLevels, "equalize has a thread a level");

__device__ int level_of(float x) {
  const int level = static_cast<int>(x * 255 + 0.5F);
  return level < 0 ? 0 : level > kLevels - 1 ? kLevels - 1 : level;
}

__global__ void equalize_kernel(int pixels, int channels, const float* x, float* y) {
  __shared__ int histogram[kLevels];
  __shared__ int below[kLevels];
  __shared__ int brightest;
  __shared__ float becomes[kLevels];
  const std::int64_t plane = blockIdx.x;
  const std::int64_t first = plane / channels * pixels * channels + plane % channels;
  const int level = static_cast<int>(threadIdx.x);
  histogram[level] = 0;
  __syncthreads();
  for (int p = level; p < pixels; p += kThreads) {
    atomicAdd(&histogram[level_of(x[first + std::int64_t{p} * channels])], 1);
  }
  __syncthreads();
  // A sum over all levels up to this one, in as many rounds as that takes with doubling distances.
  below[level] = histogram[level];
  for (int distance = 1; distance < kLevels; distance *= 2) {
    __syncthreads();
    const int before = level >= distance ? below[level - distance] : 0;
    __syncthreads();
    below[level] += before;
  }
  if (histogram[level] > 0 && below[level] == pixels) brightest = histogram[level];  // of the last level that occurs
  __syncthreads();
  const int step = (pixels - brightest) / (kLevels - 1);
  const int darker = step / 2 + below[level] - histogram[level];
  const int value = step == 0 ? level : darker / step < kLevels - 1 ? darker / step : kLevels - 1;
  becomes[level] = static_cast<float>(value) / 255;
  __syncthreads();
  for (int p = level; p < pixels; p += kThreads) {
    const std::int64_t at = first + std::int64_t{p} * channels;
    y[at] = becomes[level_of(x[at])];
  }
}

__global__ void cutout_kernel(std::int64_t n, int height, int width, int channels, int size, const StepState* state,
                              const float* x, float* y) {
  for (std::int64_t at = grid_thread(); at < n; at += grid_threads()) {
    const std::int64_t pixel = at / channels;
    const int j = static_cast<int>(pixel % width);
    const int i = static_cast<int>(pixel / width % height);
    const Pixel centre = cutout_centre(static_cast<int>(pixel / width / height), height, width, *state);
    const int top = centre.row - size / 2;
    const int left = centre.column - size / 2;
    const bool cut = i >= top && i < top + size && j >= left && j < left + size;
    y[at] = cut ? 0.0F : x[at];
  }
}

__global__ void invert_kernel(std::int64_t n, const float* x, float* y) {
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) y[i] = 1 - x[i];
}

}  // namespace

void equalize(const Launch& at, int rows, int height, int width, int channels, const float* x, float* y) {
  if (rows == 0) return;
  launch(at, "equalize", &equalize_kernel, static_cast<unsigned>(rows * channels), kThreads, 0, height * width,
         channels, x, y);
}

void cutout(const Launch& at, int rows, int height, int width, int channels, int size, const StepState* state,
            const float* x, float* y) {
  const std::int64_t n = std::int64_t{rows} * height * width * channels;
  if (n == 0) return;
  launch(at, "cutout", &cutout_kernel, striding_blocks(n, kThreads), kThreads, 0, n, height, width, channels, size,
         state, x, y);
}

void invert(const Launch& at, std::int64_t n, const float* x, float* y) {
  if (n == 0) return;
  launch(at, "invert", &invert_kernel, striding_blocks(n, kThreads), kThreads, 0, n, x, y);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
