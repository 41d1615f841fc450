// Sums over the threads of a block, in an order that is always the same.
#pragma once

#include "kernels/cuda/warp.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// The sum over all kThreads threads of the block, for all of them. All have to call it; `scratch` is in shared memory,
/// and not used for anything else before the next barrier.
template <int kThreads, typename T>
__device__ T block_sum(T value, T (&scratch)[kThreads / kWarp]) {
  value = warp_sum(value);
  if (lane_number() == 0) scratch[warp_number()] = value;
  __syncthreads();
  T total{};
#pragma unroll
  for (int warp = 0; warp < kThreads / kWarp; ++warp) total += scratch[warp];
  return total;
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
