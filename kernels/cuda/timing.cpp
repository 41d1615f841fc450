#include "kernels/timing.h"

#include "kernels/cuda/check.h"

namespace retort::cuda {

void* make_mark(const Launch& at) {
  cudaEvent_t event = nullptr;
  RETORT_CUDA_CALL(cudaEventCreate(&event));
  RETORT_CUDA_CALL(cudaEventRecord(event, static_cast<cudaStream_t>(at.stream)));
  return event;
}

void wait_for(void* mark) {
  RETORT_CUDA_CALL(cudaEventSynchronize(static_cast<cudaEvent_t>(mark)));
}

double seconds_between(void* first, void* second) {
  float milliseconds = 0;
  RETORT_CUDA_CALL(cudaEventSynchronize(static_cast<cudaEvent_t>(second)));
  RETORT_CUDA_CALL(
      cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(first), static_cast<cudaEvent_t>(second)));
  return 1e-3 * milliseconds;
}

void release_mark(void* mark) noexcept {
  cudaEventDestroy(static_cast<cudaEvent_t>(mark));
}

}  // namespace retort::cuda
