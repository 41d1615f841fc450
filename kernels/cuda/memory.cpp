#include "kernels/memory.h"

#include "kernels/cuda/check.h"

namespace retort::cuda {
namespace {

bool on_device(const void* pointer) {
  cudaPointerAttributes attributes{};
  RETORT_CUDA_CALL(cudaPointerGetAttributes(&attributes, pointer));
  return attributes.type == cudaMemoryTypeDevice;
}

}  // namespace

void* allocate(std::size_t bytes) {
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, bytes == 0 ? 1 : bytes);  // aligned to 256 bytes at least
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    fail(ErrorKind::memory, text("cannot allocate ", bytes, " bytes of device memory"));
  }
  check_call(status, "cudaMalloc");
  return block;
}

void deallocate(void* pointer) noexcept {
  cudaFree(pointer);
}

std::size_t available_memory() {
  std::size_t available = 0;
  std::size_t total = 0;
  RETORT_CUDA_CALL(cudaMemGetInfo(&available, &total));
  return available;
}

void copy_bytes(const Launch& at, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  auto* const stream = static_cast<cudaStream_t>(at.stream);
  cudaStreamCaptureStatus recorded = cudaStreamCaptureStatusNone;
  if (stream != nullptr) RETORT_CUDA_CALL(cudaStreamIsCapturing(stream, &recorded));
  // While a stream is recorded, CUDA takes few questions; and a recorded copy has to stay on the device.
  if (recorded != cudaStreamCaptureStatusNone) {
    return RETORT_CUDA_CALL(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream));
  }
  RETORT_CUDA_CALL(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream));
  // The host's memory is pageable here, and CUDA does not promise that it has been read or written yet.
  if (!on_device(to) || !on_device(from)) synchronize(at);
}

void fill_zero(const Launch& at, void* to, std::size_t bytes) {
  if (bytes > 0) RETORT_CUDA_CALL(cudaMemsetAsync(to, 0, bytes, static_cast<cudaStream_t>(at.stream)));
}

void synchronize(const Launch& at) {
  RETORT_CUDA_CALL(cudaStreamSynchronize(static_cast<cudaStream_t>(at.stream)));
}

}  // namespace retort::cuda
