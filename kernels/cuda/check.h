// CUDA's status codes as exceptions. For host code; kernels' files get it by launch.h.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/error.h"

namespace retort::cuda {

/// Error(memory) for memory that is not there, Error(device) for everything else.
inline void check_call(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that the next call does not report it again
  int driver = 0;
  if (status == cudaErrorInsufficientDriver && cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0) {
    fail(ErrorKind::device, "no NVIDIA driver on this machine");
  }
  fail(status == cudaErrorMemoryAllocation ? ErrorKind::memory : ErrorKind::device,
       text("CUDA: ", cudaGetErrorString(status), " in ", what));
}

}  // namespace retort::cuda

/// Throws Error(device), or Error(memory), with the call's text.
#define RETORT_CUDA_CALL(call) ::retort::cuda::check_call((call), #call)
