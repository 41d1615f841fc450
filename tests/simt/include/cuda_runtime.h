// CUDA's language for a host compiler: the words that kernels use, as simt/runner.h understands them.
#pragma once

#include <math.h>  // NOLINT: isnan and the like without std::, as in CUDA

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tests/simt/runner.h"

#define RETORT_SIMT 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
/// The runner knows shared variables by their being static. They begin each block as memory that nobody wrote.
#define __shared__ static

#define threadIdx (::simt::thread_index())
#define blockIdx (::simt::block_index())
#define blockDim (::simt::block_extent())
#define gridDim (::simt::grid_extent())
#define warpSize (::simt::kWarpSize)

using dim3 = ::simt::Extent;
using cudaStream_t = void*;

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) int4 {
  int x, y, z, w;
};

// ---- barriers, votes, shuffles ----

#define SIMT_INLINE inline __attribute__((always_inline))

SIMT_INLINE void __syncthreads() {
  ::simt::barrier();
}
SIMT_INLINE void __syncwarp(unsigned mask = 0xffffffffU) {
  ::simt::Exchange(mask, nullptr, 0, "__syncwarp");
}

namespace simt {

template <typename T>
SIMT_INLINE T shuffle(const char* name, unsigned mask, T value, int width, int (*source)(int, int, int), int argument) {
  static_assert(sizeof(T) <= 16 && std::is_trivially_copyable_v<T>);
  const Exchange exchange(mask, &value, sizeof value, name);
  T result = value;
  const int from = source(exchange.lane(), argument, width);
  if (from >= 0) exchange.read(from, &result, sizeof result);
  return result;
}

}  // namespace simt

template <typename T>
SIMT_INLINE T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  return ::simt::shuffle(
      "__shfl_sync", mask, value, width, [](int self, int argument, int w) { return self / w * w + argument % w; },
      lane);
}
template <typename T>
SIMT_INLINE T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  return ::simt::shuffle(
      "__shfl_xor_sync", mask, value, width,
      [](int self, int argument, int w) {
        const int from = self ^ argument;
        return from < (self / w + 1) * w ? from : -1;
      },
      bits);
}
template <typename T>
SIMT_INLINE T __shfl_down_sync(unsigned mask, T value, int delta, int width = 32) {
  return ::simt::shuffle(
      "__shfl_down_sync", mask, value, width,
      [](int self, int argument, int w) { return self % w + argument < w ? self + argument : -1; }, delta);
}
template <typename T>
SIMT_INLINE T __shfl_up_sync(unsigned mask, T value, int delta, int width = 32) {
  return ::simt::shuffle(
      "__shfl_up_sync", mask, value, width,
      [](int self, int argument, int w) { return self % w >= argument ? self - argument : -1; }, delta);
}
SIMT_INLINE unsigned __ballot_sync(unsigned mask, int predicate) {
  const int vote = predicate != 0 ? 1 : 0;
  const ::simt::Exchange exchange(mask, &vote, sizeof vote, "__ballot_sync");
  unsigned ballot = 0;
  for (int lane = 0; lane < ::simt::kWarpSize; ++lane) {
    int theirs = 0;
    if (exchange.has(lane)) exchange.read(lane, &theirs, sizeof theirs);
    ballot |= static_cast<unsigned>(theirs) << lane;
  }
  return ballot;
}
SIMT_INLINE int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0 ? 1 : 0;
}
SIMT_INLINE int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) == mask ? 1 : 0;
}

// ---- arithmetic ----

SIMT_INLINE int __popc(unsigned bits) {
  return __builtin_popcount(bits);
}
SIMT_INLINE int __ffs(int bits) {
  return __builtin_ffs(bits);
}
SIMT_INLINE int __clz(int bits) {
  return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits));
}
SIMT_INLINE float __uint_as_float(unsigned bits) {
  return __builtin_bit_cast(float, bits);
}
SIMT_INLINE unsigned __float_as_uint(float value) {
  return __builtin_bit_cast(unsigned, value);
}
SIMT_INLINE float __fdividef(float a, float b) {
  return a / b;
}
SIMT_INLINE float rsqrtf(float value) {
  return 1.0F / std::sqrt(value);
}

template <typename T>
SIMT_INLINE T __ldg(const T* address) {
  return *address;
}

// ---- atomics: one thread runs at a time, so they only have to be told apart from plain accesses ----

template <typename T>
__attribute__((noinline, no_sanitize("thread"))) T atomicAdd(T* address, T value) {
  ::simt::note_atomic(address, sizeof(T), __builtin_return_address(0));
  const T before = *address;
  *address = static_cast<T>(before + value);
  return before;
}
template <typename T>
__attribute__((noinline, no_sanitize("thread"))) T atomicMax(T* address, T value) {
  ::simt::note_atomic(address, sizeof(T), __builtin_return_address(0));
  const T before = *address;
  if (value > before) *address = value;
  return before;
}
template <typename T>
__attribute__((noinline, no_sanitize("thread"))) T atomicOr(T* address, T value) {
  ::simt::note_atomic(address, sizeof(T), __builtin_return_address(0));
  const T before = *address;
  *address = static_cast<T>(before | value);
  return before;
}

namespace simt {

/// What CUDA has no word for: a relaxed store (kernels/cuda/device.h).
template <typename T>
__attribute__((noinline, no_sanitize("thread"))) void atomic_store(T* address, T value) {
  note_atomic_store(address, sizeof(T), __builtin_return_address(0));
  *address = value;
}

}  // namespace simt
