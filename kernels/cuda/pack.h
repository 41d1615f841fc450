// Neighbouring elements in one access: sixteen bytes, the largest that a thread makes, or fewer where that is what
// fits.
#pragma once

#include <type_traits>

#include "kernels/cuda/device.h"
#include "kernels/types.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// How many elements an access of sixteen bytes has.
template <typename T>
constexpr int kWhole = 16 / sizeof(T);

template <typename T, int kElements = kWhole<T>>
struct alignas(kElements * sizeof(T)) Pack {
  static constexpr int kCount = kElements;
  T v[kElements];
};

template <int kElements, typename T>
__device__ __forceinline__ Pack<T, kElements> load_pack(const T* from) {
  RETORT_CHECK_ALIGNED(from, kElements * sizeof(T));
  return *reinterpret_cast<const Pack<T, kElements>*>(from);
}
template <typename T>
__device__ __forceinline__ Pack<T> load_pack(const T* from) {
  return load_pack<kWhole<T>>(from);
}
template <typename T, int kElements>
__device__ __forceinline__ void store_pack(T* to, const Pack<T, kElements>& pack) {
  RETORT_CHECK_ALIGNED(to, kElements * sizeof(T));
  *reinterpret_cast<Pack<T, kElements>*>(to) = pack;
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

/// Whether all of them may be accessed in whole packs from element 0 on.
template <typename... Pointers>
bool wide(const Pointers*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

/// Calls body(T{}) with the type of the elements.
template <typename Body>
void with_type(DType dtype, const Body& body) {
  if (dtype == DType::bf16) return body(bfloat16{});
  body(float{});
}

/// Calls body(count), an integral constant: the elements of a whole pack if everything is aligned and pixels of so many
/// channels begin and end at packs, else 1.
template <typename T, typename Body>
void with_pack(int channels, bool aligned, const Body& body) {
  if (aligned && channels % kWhole<T> == 0) return body(std::integral_constant<int, kWhole<T>>{});
  body(std::integral_constant<int, 1>{});
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
