// The numbers of a few neighbouring channels, as float whatever their type in memory.
#pragma once

#include "kernels/cuda/pack.h"

namespace retort::RETORT_CUDA_NAMESPACE {

template <int kCount>
struct Floats {
  float v[kCount] = {};

  template <typename T>
  __device__ __forceinline__ static Floats load(const T* from) {
    constexpr int kAtOnce = kCount < kWhole<T> ? kCount : kWhole<T>;
    Floats out;
    for (int first = 0; first < kCount; first += kAtOnce) {
      const Pack<T, kAtOnce> pack = load_pack<kAtOnce>(from + first);
      for (int j = 0; j < kAtOnce; ++j) out.v[first + j] = widen(pack.v[j]);
    }
    return out;
  }

  template <typename T>
  __device__ __forceinline__ void store(T* to) const {
    constexpr int kAtOnce = kCount < kWhole<T> ? kCount : kWhole<T>;
    for (int first = 0; first < kCount; first += kAtOnce) {
      Pack<T, kAtOnce> pack;
      for (int j = 0; j < kAtOnce; ++j) pack.v[j] = narrow<T>(v[first + j]);
      store_pack(to + first, pack);
    }
  }
};

}  // namespace retort::RETORT_CUDA_NAMESPACE
