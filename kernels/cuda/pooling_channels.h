// What one thread of a pooling kernel handles of a pixel: 16 bytes of neighbouring channels, or one channel.
#pragma once

#include "kernels/cuda/pack.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// Held as float, whatever the type in memory.
template <typename T, bool kWide>
struct Channels {
  static constexpr int kCount = kWide ? Pack<T>::kCount : 1;
  float v[kCount];

  __device__ static Channels load(const T* from) {
    Channels out;
    if constexpr (kWide) {
      const Pack<T> pack = load_pack(from);
      for (int c = 0; c < kCount; ++c) out.v[c] = widen(pack.v[c]);
    } else {
      out.v[0] = widen(*from);
    }
    return out;
  }

  __device__ void store(T* to) const {
    if constexpr (kWide) {
      Pack<T> pack;
      for (int c = 0; c < kCount; ++c) pack.v[c] = narrow<T>(v[c]);
      store_pack(to, pack);
    } else {
      *to = narrow<T>(v[0]);
    }
  }
};

/// Calls body(true) if pixels of so many channels begin and end at packs, else body(false), as integral constants.
template <typename T, typename Body>
void with_channels(int channels, bool aligned, const Body& body) {
  if (aligned && channels % Pack<T>::kCount == 0) return body(std::true_type{});
  body(std::false_type{});
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
