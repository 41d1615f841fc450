#include "kernels/stream.h"

#include <cstring>

#include "kernels/cuda/check.h"

namespace retort::cuda {

void* make_stream() {
  cudaStream_t stream = nullptr;
  RETORT_CUDA_CALL(cudaStreamCreate(&stream));
  return stream;
}

void release_stream(void* stream) noexcept {
  if (stream != nullptr) cudaStreamDestroy(static_cast<cudaStream_t>(stream));
}

void order_after(const Launch& later, const Launch& earlier) {
  if (later.stream == earlier.stream) return;
  // One event will do: a stream waits for what it marked when the wait was asked for.
  static cudaEvent_t event = [] {
    cudaEvent_t made = nullptr;
    RETORT_CUDA_CALL(cudaEventCreateWithFlags(&made, cudaEventDisableTiming));
    return made;
  }();
  RETORT_CUDA_CALL(cudaEventRecord(event, static_cast<cudaStream_t>(earlier.stream)));
  RETORT_CUDA_CALL(cudaStreamWaitEvent(static_cast<cudaStream_t>(later.stream), event, 0));
}

void* allocate_shared(std::size_t bytes) {
  void* pointer = nullptr;
  RETORT_CUDA_CALL(cudaMallocHost(&pointer, bytes));
  std::memset(pointer, 0, bytes);
  return pointer;
}

void deallocate_shared(void* pointer) noexcept {
  if (pointer != nullptr) cudaFreeHost(pointer);
}

}  // namespace retort::cuda
