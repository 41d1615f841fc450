// The launcher: the only place with <<<>>>. Every launch is checked, and profilers see it by its name (an NVTX range).
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/device.h"
#include "kernels/error.h"
#include "kernels/types.h"

#if !defined(RETORT_SIMT)
#include <nvtx3/nvToolsExt.h>

#include "kernels/cuda/check.h"
#else
#include "tests/simt/submit.h"
#endif

namespace retort::RETORT_CUDA_NAMESPACE {

#if !defined(RETORT_SIMT)

template <typename... Parameters, typename... Arguments>
void launch(const Launch& at, const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block,
            std::size_t shared_bytes, Arguments... arguments) {
  nvtxRangePushA(name);
  kernel<<<grid, block, shared_bytes, static_cast<cudaStream_t>(at.stream)>>>(arguments...);
  nvtxRangePop();
  check_call(cudaGetLastError(), name);
}

/// Multiprocessors of the device in use, asked once: a process works on one.
inline int multiprocessors() {
  static const int count = [] {
    int device = 0;
    int found = 0;
    RETORT_CUDA_CALL(cudaGetDevice(&device));
    RETORT_CUDA_CALL(cudaDeviceGetAttribute(&found, cudaDevAttrMultiProcessorCount, device));
    return found;
  }();
  return count;
}

#else

template <typename... Parameters, typename... Arguments>
void launch(const Launch& at, const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block,
            std::size_t shared_bytes, Arguments... arguments) {
  ::simt::submit(at.stream, name, [=] { ::simt::launch(name, kernel, grid, block, shared_bytes, arguments...); });
}

/// Few, so that small tests too go round their loops more than once.
inline int multiprocessors() {
  return 1;
}

#endif

/// Blocks for `items` pieces of work, one a thread, in kernels that stride through what is more than fills the device.
inline unsigned striding_blocks(std::int64_t items, int threads, int blocks_per_multiprocessor = 8) {
  const std::int64_t wanted = (items + threads - 1) / threads;
  return static_cast<unsigned>(
      std::clamp<std::int64_t>(wanted, 1, std::int64_t{multiprocessors()} * blocks_per_multiprocessor));
}

/// The thread's number in the grid, and how many threads the grid has: for striding through one dimension.
__device__ inline std::int64_t grid_thread() {
  return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t grid_threads() {
  return std::int64_t{gridDim.x} * blockDim.x;
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
