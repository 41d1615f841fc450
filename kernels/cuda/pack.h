// Sixteen bytes at a time: the largest access that a thread makes.
#pragma once

#include <type_traits>

#include "kernels/cuda/device.h"
#include "kernels/types.h"

#if defined(RETORT_SIMT)
#define RETORT_WIDE_ACCESS(address) ::simt::check_aligned(address, 16)
#else
#define RETORT_WIDE_ACCESS(address) static_cast<void>(0)
#endif

namespace retort::RETORT_CUDA_NAMESPACE {

template <typename T>
struct alignas(16) Pack {
  static constexpr int kCount = 16 / sizeof(T);
  T v[kCount];
};

template <typename T>
__device__ __forceinline__ Pack<T> load_pack(const T* from) {
  RETORT_WIDE_ACCESS(from);
  return *reinterpret_cast<const Pack<T>*>(from);
}
template <typename T>
__device__ __forceinline__ void store_pack(T* to, const Pack<T>& pack) {
  RETORT_WIDE_ACCESS(to);
  *reinterpret_cast<Pack<T>*>(to) = pack;
}

/// Whether all of them may be accessed in packs from element 0 on.
template <typename... Pointers>
bool wide(const Pointers*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

__device__ __forceinline__ float widen(float value) {
  return value;
}
__device__ __forceinline__ float widen(bfloat16 value) {
  return static_cast<float>(value);
}
template <typename T>
__device__ __forceinline__ T narrow(float value) {
  return T(value);
}

/// Calls body(T{}) with the type of the elements.
template <typename Body>
void with_type(DType dtype, const Body& body) {
  if (dtype == DType::bf16) return body(bfloat16{});
  body(float{});
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
