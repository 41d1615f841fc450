// Tiles in shared memory: a block computes 16 pixels x 16 channels, and goes through the terms sixteen at a time. Of
// each chunk its 256 threads bring an entry of either matrix, neighbours along the terms as they lie in memory, and
// then each uses 16 entries that others brought.
#include "bench/lab/convolution/window.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using namespace retort::RETORT_CUDA_NAMESPACE;

constexpr int kTile = 16;

__global__ void kernel(Convolution p) {
  __shared__ float pixels[kTile][kTile];   // [pixel][term]
  __shared__ float filters[kTile][kTile];  // [channel][term]
  const auto* x = static_cast<const float*>(p.x);
  const auto* filter = static_cast<const float*>(p.filter);
  const int row = static_cast<int>(threadIdx.x) / kTile;
  const int column = static_cast<int>(threadIdx.x) % kTile;
  const int first_pixel = static_cast<int>(blockIdx.x) * kTile;
  const int first_channel = static_cast<int>(blockIdx.y) * kTile;
  const Window window = Window::of(p, first_pixel + row);
  float sum = 0;
  for (int first = 0; first < p.terms(); first += kTile) {
    const int in_x = window.element(p, Term::of(p, first + column));
    const int in_filter = filter_element(p, first_channel + row, first + column);
    pixels[row][column] = in_x >= 0 ? x[in_x] : 0.0F;
    filters[row][column] = in_filter >= 0 ? filter[in_filter] : 0.0F;
    __syncthreads();
    for (int k = 0; k < kTile; ++k) sum += pixels[row][k] * filters[column][k];
    __syncthreads();  // the next chunk goes where this one was
  }
  const int pixel = first_pixel + row;
  const int channel = first_channel + column;
  if (pixel >= p.pixels() || channel >= p.shape.out_channels) return;
  static_cast<float*>(p.y)[pixel * p.shape.out_channels + channel] = sum;
}

}  // namespace

void convolution_v2(const Launch& at, const Convolution& p) {
  const dim3 grid(static_cast<unsigned>((p.pixels() - 1) / kTile + 1),
                  static_cast<unsigned>((p.shape.out_channels - 1) / kTile + 1));
  launch(at, "convolution_v2", &kernel, grid, kTile * kTile, 0, p);
}

}  // namespace retort::lab
