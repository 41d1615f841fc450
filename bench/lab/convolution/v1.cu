// A thread an output: the definition, written down. Neighbouring threads compute neighbouring channels of a pixel: all
// want the same input, which is one sector for the warp, but each its own filter, and these lie a whole filter apart.
#include "bench/lab/convolution/convolution.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using namespace retort::RETORT_CUDA_NAMESPACE;

constexpr int kThreads = 128;

__global__ void kernel(Convolution p) {
  const Conv2dShape& shape = p.shape;
  const auto i = static_cast<int>(grid_thread());
  if (i >= p.pixels() * shape.out_channels) return;
  const int pixel = i / shape.out_channels;
  const int image = pixel / (p.out_height * p.out_width);
  const int top = pixel / p.out_width % p.out_height * shape.stride - shape.padding;
  const int left = pixel % p.out_width * shape.stride - shape.padding;
  const float* x = static_cast<const float*>(p.x) + image * shape.height * shape.width * shape.in_channels;
  const float* filter = static_cast<const float*>(p.filter) + i % shape.out_channels * p.terms();
  float sum = 0;
  for (int r = 0; r < shape.kernel_h; ++r) {
    for (int s = 0; s < shape.kernel_w; ++s) {
      const int h = top + r;
      const int w = left + s;
      if (h < 0 || h >= shape.height || w < 0 || w >= shape.width) continue;  // padding
      for (int c = 0; c < shape.in_channels; ++c) {
        sum +=
            x[(h * shape.width + w) * shape.in_channels + c] * filter[(r * shape.kernel_w + s) * shape.in_channels + c];
      }
    }
  }
  static_cast<float*>(p.y)[i] = sum;
}

}  // namespace

void convolution_v1(const Launch& at, const Convolution& p) {
  const int outputs = p.pixels() * p.shape.out_channels;
  launch(at, "convolution_v1", &kernel, static_cast<unsigned>((outputs - 1) / kThreads + 1), kThreads, 0, p);
}

}  // namespace retort::lab
