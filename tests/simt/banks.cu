#include "kernels/cuda/pack.h"
#include "tests/simt/banks.h"

namespace simt::banks {
namespace {

__global__ void kernel(int stride, bool four, float* out) {
  alignas(128) __shared__ float words[kWords];
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < kWords; i += 32) words[i] = static_cast<float>(i);
  __syncthreads();
  const float* from = words + lane * stride;
  out[lane] = four ? retort::simt::load_pack<4>(from).v[3] - 3 : *from;
}

}  // namespace

void read_with_stride(int stride, bool four, float* out) {
  launch("read_with_stride", kernel, {1}, {32}, 0, stride, four, out);
}

}  // namespace simt::banks
