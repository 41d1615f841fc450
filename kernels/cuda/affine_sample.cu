// Forward, a thread a pixel. Backward, a block an image, whose threads share its pixels: six sums come out, and an
// image is small.
#include "kernels/affine_place.h"
#include "kernels/affine_sample.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

__global__ void forward_kernel(std::int64_t pixels, int height, int width, int channels, const float* images,
                               const float* theta, float* out) {
  for (std::int64_t p = grid_thread(); p < pixels; p += grid_threads()) {
    const std::int64_t n = p / (std::int64_t{height} * width);
    const int within = static_cast<int>(p - n * height * width);
    const EdgedImage image{height, width, channels, images + n * height * width * channels};
    const AffinePlace<float> at(theta + n * 6, within / width, within % width, height, width);
    for (int c = 0; c < channels; ++c) out[p * channels + c] = at.value(image, c);
  }
}

__global__ void backward_kernel(int height, int width, int channels, const float* images, const float* theta,
                                const float* dout, float* dtheta) {
  __shared__ double scratch[6][kThreads / kWarp];
  const std::int64_t n = blockIdx.x;
  const std::int64_t size = std::int64_t{height} * width * channels;
  const EdgedImage image{height, width, channels, images + n * size};
  double sums[6] = {};
  for (int p = static_cast<int>(threadIdx.x); p < height * width; p += kThreads) {
    const AffinePlace<float> at(theta + n * 6, p / width, p % width, height, width);
    float by_x = 0;
    float by_y = 0;
    for (int c = 0; c < channels; ++c) {
      float along_x;
      float along_y;
      at.slopes(image, c, &along_x, &along_y);
      const float g = dout[n * size + std::int64_t{p} * channels + c];
      by_x += g * along_x;
      by_y += g * along_y;
    }
    const float weights[3] = {at.x, at.y, 1};
    for (int w = 0; w < 3; ++w) {
      sums[w] += by_x * weights[w];
      sums[3 + w] += by_y * weights[w];
    }
  }
  for (int w = 0; w < 6; ++w) {
    const double total = block_sum<kThreads>(sums[w], scratch[w]);
    if (threadIdx.x == 0) dtheta[n * 6 + w] = static_cast<float>(total);
  }
}

}  // namespace

void affine_sample_forward(const Launch& at, int rows, int height, int width, int channels, const float* images,
                           const float* theta, float* out) {
  const std::int64_t pixels = std::int64_t{rows} * height * width;
  if (pixels == 0) return;
  launch(at, "affine_sample", &forward_kernel, striding_blocks(pixels, kThreads), kThreads, 0, pixels, height, width,
         channels, images, theta, out);
}

void affine_sample_backward(const Launch& at, int rows, int height, int width, int channels, const float* images,
                            const float* theta, const float* dout, float* dtheta) {
  if (rows == 0) return;
  launch(at, "affine_sample gradient", &backward_kernel, static_cast<unsigned>(rows), kThreads, 0, height, width,
         channels, images, theta, dout, dtheta);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
