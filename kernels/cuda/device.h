// What every .cu file begins with. tests/simt compiles the same files with the host compiler, its own cuda_runtime.h
// and another namespace, so that a test program can hold both.
#pragma once

#include <cuda_runtime.h>

#include <type_traits>

#ifndef RETORT_CUDA_NAMESPACE
#define RETORT_CUDA_NAMESPACE cuda
#endif

/// Compilers split wide accesses where they may, so the runner has to be told what one is.
#if defined(RETORT_SIMT)
#define RETORT_CHECK_ALIGNED(address, bytes) ::simt::check_aligned(address, bytes)
#else
#define RETORT_CHECK_ALIGNED(address, bytes) static_cast<void>(0)
#endif

namespace retort::RETORT_CUDA_NAMESPACE {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffU;

/// A store that several threads may make at once, all of the same value.
template <typename T>
__device__ __forceinline__ void store_same(T* to, std::type_identity_t<T> value) {
#if defined(RETORT_SIMT)
  ::simt::atomic_store(to, value);
#else
  *static_cast<volatile T*>(to) = value;  // to PTX, a relaxed atomic one
#endif
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
