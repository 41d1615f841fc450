#include "kernels/cuda/check.h"
#include "kernels/cuda/graph_condition.h"

namespace retort::cuda {
namespace {

__global__ void condition_kernel(cudaGraphConditionalHandle condition, const std::int32_t* count, int least) {
  cudaGraphSetConditional(condition, *count >= least ? 1 : 0);
}

}  // namespace

void load_condition_kernel() {
  cudaFuncAttributes attributes{};
  RETORT_CUDA_CALL(cudaFuncGetAttributes(&attributes, condition_kernel));
}

void set_condition(cudaStream_t stream, cudaGraphConditionalHandle condition, const std::int32_t* count, int least) {
  condition_kernel<<<1, 1, 0, stream>>>(condition, count, least);
  check_call(cudaGetLastError(), "set_condition");
}

}  // namespace retort::cuda
