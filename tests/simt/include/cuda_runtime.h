// CUDA's language for a host compiler: the words that kernels use, as simt/runner.h understands them.
#pragma once

#include <math.h>  // NOLINT: isnan and the like without std::, as in CUDA

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "tests/simt/runner.h"

#define RETORT_SIMT 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
/// The runner knows shared variables by their being static. They begin each block as memory that nobody wrote.
#define __shared__ static

#define threadIdx (::simt::thread_index())
#define blockIdx (::simt::block_index())
#define blockDim (::simt::block_extent())
#define gridDim (::simt::grid_extent())

using dim3 = ::simt::Extent;

struct alignas(16) float4 {
  float x, y, z, w;
};

// ---- barriers, fences, votes, shuffles ----

#define SIMT_INLINE inline __attribute__((always_inline))

SIMT_INLINE void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  ::simt::barrier(file, line);
}
SIMT_INLINE void __syncwarp(unsigned mask = 0xffffffffU) {
  ::simt::Exchange(mask, nullptr, 0, "__syncwarp");
}
SIMT_INLINE void __threadfence() {
  ::simt::fence();
}

namespace simt {

/// source(lane, argument, width) is the lane whose value this one gets, or -1 for its own.
template <typename T, typename Argument>
SIMT_INLINE T shuffle(const char* name, unsigned mask, T value, int width, int (*source)(int, Argument, int),
                      Argument argument) {
  static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "CUDA shuffles numbers of 4 or 8 bytes");
  const Exchange exchange(mask, &value, sizeof value, name, width);
  T result = value;
  const int from = source(exchange.lane(), argument, width);
  if (from >= 0) exchange.read(from, &result, sizeof result);
  return result;
}

SIMT_INLINE unsigned ballot(const char* name, unsigned mask, int predicate) {
  const int vote = predicate != 0 ? 1 : 0;
  const Exchange exchange(mask, &vote, sizeof vote, name);
  unsigned votes = 0;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    int theirs = 0;
    if (exchange.has(lane)) exchange.read(lane, &theirs, sizeof theirs);
    votes |= static_cast<unsigned>(theirs) << lane;
  }
  return votes;
}

}  // namespace simt

// Lanes are those of a segment of `width`: __shfl_sync wraps around in it, the others give a lane its own value where
// they would leave it (towards higher lanes only, for __shfl_xor_sync).
template <typename T>
SIMT_INLINE T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  return ::simt::shuffle<T, int>(
      "__shfl_sync", mask, value, width,
      [](int self, int argument, int w) { return (self & ~(w - 1)) | (argument & (w - 1)); }, lane);
}
template <typename T>
SIMT_INLINE T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  return ::simt::shuffle<T, int>(
      "__shfl_xor_sync", mask, value, width,
      [](int self, int argument, int w) {
        const int from = self ^ (argument & 31);
        return from <= (self | (w - 1)) ? from : -1;
      },
      bits);
}
template <typename T>
SIMT_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  return ::simt::shuffle<T, unsigned>(
      "__shfl_down_sync", mask, value, width,
      [](int self, unsigned argument, int w) {
        return argument < static_cast<unsigned>(w - self % w) ? self + static_cast<int>(argument) : -1;
      },
      delta);
}
template <typename T>
SIMT_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  return ::simt::shuffle<T, unsigned>(
      "__shfl_up_sync", mask, value, width,
      [](int self, unsigned argument, int w) {
        return argument <= static_cast<unsigned>(self % w) ? self - static_cast<int>(argument) : -1;
      },
      delta);
}
SIMT_INLINE unsigned __ballot_sync(unsigned mask, int predicate) {
  return ::simt::ballot("__ballot_sync", mask, predicate);
}
SIMT_INLINE int __any_sync(unsigned mask, int predicate) {
  return ::simt::ballot("__any_sync", mask, predicate) != 0 ? 1 : 0;
}
SIMT_INLINE int __all_sync(unsigned mask, int predicate) {
  return ::simt::ballot("__all_sync", mask, predicate) == mask ? 1 : 0;
}

// ---- arithmetic ----

namespace simt {

/// The float next to a result, above or below it: GPUs' functions are that much off the rounded ones (CUDA C++
/// Programming Guide, mathematical functions), each its own way. Exact where they are exact.
SIMT_INLINE float off_by_an_ulp(float result, float argument, float exact_at) {
  if (argument == exact_at || result == 0 || !std::isfinite(result)) return result;
  const unsigned hash = __builtin_bit_cast(unsigned, argument) * 2654435761U;
  return hash >> 30 == 0 ? result : std::nextafter(result, (hash & 0x20000000U) != 0 ? INFINITY : -INFINITY);
}

SIMT_INLINE float gpu_expf(float x) {
  return off_by_an_ulp(::expf(x), x, 0.0F);
}
SIMT_INLINE float gpu_logf(float x) {
  return off_by_an_ulp(::logf(x), x, 1.0F);
}

}  // namespace simt

#define expf(x) (::simt::gpu_expf(x))
#define logf(x) (::simt::gpu_logf(x))

SIMT_INLINE int __popc(unsigned bits) {
  return __builtin_popcount(bits);
}
SIMT_INLINE int __ffs(int bits) {
  return __builtin_ffs(bits);
}

template <typename T>
SIMT_INLINE T __ldg(const T* address) {
  return *address;
}

// ---- atomics: one thread runs at a time, so they only have to be told apart from plain accesses ----

namespace simt {

template <typename T, typename... Types>
constexpr bool kOneOf = (std::is_same_v<T, Types> || ...);
template <typename T>
constexpr bool kAtomicInteger = kOneOf<T, int, unsigned, unsigned long long>;

}  // namespace simt

template <typename T>
__attribute__((noinline, no_sanitize("thread"))) T atomicAdd(T* address, std::type_identity_t<T> value) {
  static_assert(::simt::kAtomicInteger<T> || ::simt::kOneOf<T, float, double>, "CUDA has no such atomicAdd");
  ::simt::note_atomic(address, sizeof(T), __builtin_return_address(0));
  const T before = *address;
  *address = static_cast<T>(before + value);
  return before;
}
/// Counts up to `last` and then begins at zero again.
__attribute__((noinline, no_sanitize("thread"))) inline unsigned atomicInc(unsigned* address, unsigned last) {
  ::simt::note_atomic(address, sizeof(unsigned), __builtin_return_address(0));
  const unsigned before = *address;
  *address = before >= last ? 0 : before + 1;
  return before;
}
template <typename T>
__attribute__((noinline, no_sanitize("thread"))) T atomicMax(T* address, std::type_identity_t<T> value) {
  static_assert(::simt::kAtomicInteger<T> || ::simt::kOneOf<T, long long>, "CUDA has no such atomicMax");
  ::simt::note_atomic(address, sizeof(T), __builtin_return_address(0));
  const T before = *address;
  if (value > before) *address = value;
  return before;
}
template <typename T>
__attribute__((noinline, no_sanitize("thread"))) T atomicOr(T* address, std::type_identity_t<T> value) {
  static_assert(::simt::kAtomicInteger<T>, "CUDA has no such atomicOr");
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
