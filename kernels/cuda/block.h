// Sums over the threads of a block, in an order that is always the same.
#pragma once

#include "kernels/cuda/floats.h"
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

/// Adds each of the sums over the block's rows of threads (threadIdx.y), of which `rows` have something; those of row 0
/// get the result. All have to call it.
template <int kThreads, int kSums, int kCount>
__device__ void add_thread_rows(std::int64_t rows, Floats<kCount> (&sums)[kSums]) {
  __shared__ float shared[kSums][kCount][kThreads];
  const int width = static_cast<int>(blockDim.x);
  const int height = rows < blockDim.y ? static_cast<int>(rows) : static_cast<int>(blockDim.y);
  const int y = static_cast<int>(threadIdx.y);
  const int self = y * width + static_cast<int>(threadIdx.x);
  // Halves of the next power of two: the upper rows bring what they have, the lower ones add it.
  int half = 1;
  while (2 * half < height) half *= 2;
  for (; half > 0; half /= 2) {
    if (y >= half && y < 2 * half && y < height) {
      for (int s = 0; s < kSums; ++s) {
        for (int j = 0; j < kCount; ++j) shared[s][j][self] = sums[s].v[j];
      }
    }
    __syncthreads();
    if (y < half && y + half < height) {
      for (int s = 0; s < kSums; ++s) {
        for (int j = 0; j < kCount; ++j) sums[s].v[j] += shared[s][j][self + half * width];
      }
    }
  }
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
