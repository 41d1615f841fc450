// One kernel in place of two: whichever block is the last to have written its part goes on with what needs all parts.
#pragma once

#include "kernels/cuda/device.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// Whether this block is the last of `blocks` to draw this ticket (of Launch::tickets), in which case it sees whatever
/// the others wrote before they did. All its threads have to call it. The ticket is zero again then.
__device__ inline bool last_block(std::uint32_t* ticket, std::int64_t blocks) {
  __shared__ bool last;
  __syncthreads();  // what the block has written comes before the fence of the thread that draws
  if (threadIdx.x == 0 && threadIdx.y == 0) {
    const auto others = static_cast<std::uint32_t>(blocks - 1);
    __threadfence();
    last = atomicInc(ticket, others) == others;
    if (last) __threadfence();
  }
  __syncthreads();
  return last;
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
