// A block a channel: the definition, written down. Three walks down the channel's rows, for the mean, for the squares
// of the distances to it, and for the result. Neighbouring threads take neighbouring rows, which lie a row of memory
// apart, so that each brings a sector of 32 bytes for 4 that are wanted.
#include "bench/lab/batch_norm/batch_norm.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using namespace retort::RETORT_CUDA_NAMESPACE;

constexpr int kThreads = 256;

__global__ void kernel(BatchNorm p) {
  __shared__ float scratch[2][kThreads / kWarp];
  const int c = static_cast<int>(blockIdx.x);
  const float* x = static_cast<const float*>(p.x);
  float* y = static_cast<float*>(p.y);
  const auto each_row = [&](const auto& body) {
    for (std::int64_t row = threadIdx.x; row < p.rows; row += kThreads) body(row * p.channels + c);
  };
  const auto n = static_cast<float>(p.rows);
  float sum = 0;
  each_row([&](std::int64_t at) { sum += x[at]; });
  const float mean = block_sum<kThreads>(sum, scratch[0]) / n;
  float squares = 0;
  each_row([&](std::int64_t at) { squares += (x[at] - mean) * (x[at] - mean); });
  const float variance = block_sum<kThreads>(squares, scratch[1]) / n;
  if (threadIdx.x == 0) {
    p.mean[c] = mean;
    p.variance[c] = variance;
  }
  const float scale = p.gamma[c] / sqrtf(variance + p.epsilon);
  const float beta = p.beta[c];
  each_row([&](std::int64_t at) {
    const float result = (x[at] - mean) * scale + beta;
    y[at] = result < 0 ? 0.0F : result;  // NaN stays
  });
}

}  // namespace

void batch_norm_v1(const Launch& at, const BatchNorm& p) {
  launch(at, "batch_norm_v1", &kernel, static_cast<unsigned>(p.channels), kThreads, 0, p);
}

}  // namespace retort::lab
