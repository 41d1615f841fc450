// Sums and maxima over the lanes of a warp. Lanes are combined in the same order in every run, and all get the result.
#pragma once

#include "kernels/cuda/device.h"

namespace retort::RETORT_CUDA_NAMESPACE {

__device__ __forceinline__ int lane_number() {
  return static_cast<int>(threadIdx.x) % kWarp;
}
__device__ __forceinline__ int warp_number() {
  return static_cast<int>(threadIdx.x) / kWarp;
}

template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
#pragma unroll
  for (int bits = kWarp / 2; bits > 0; bits /= 2) value += __shfl_xor_sync(kAllLanes, value, bits);
  return value;
}

__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int bits = kWarp / 2; bits > 0; bits /= 2) {
    const float other = __shfl_xor_sync(kAllLanes, value, bits);
    value = other > value ? other : value;
  }
  return value;
}

struct Top {
  float value;
  int index;
};

/// The largest value, and of equal ones that with the lowest index.
__device__ __forceinline__ Top warp_top(Top top) {
#pragma unroll
  for (int bits = kWarp / 2; bits > 0; bits /= 2) {
    const float value = __shfl_xor_sync(kAllLanes, top.value, bits);
    const int index = __shfl_xor_sync(kAllLanes, top.index, bits);
    if (value > top.value || (value == top.value && index < top.index)) top = {value, index};
  }
  return top;
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
