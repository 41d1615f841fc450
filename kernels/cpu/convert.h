// Reading and writing f32 and bf16 alike, without branches so that loops vectorise; and choosing a template instance
// from values only known at run time.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "kernels/error.h"
#include "kernels/types.h"

namespace retort::cpu {

inline float widen(float value) {
  return value;
}

inline float widen(bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

/// The value that remains once it has been stored as a T.
template <typename T>
inline float rounded(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    const std::uint32_t word = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t nearest = word + 0x7fffU + ((word >> 16) & 1U);
    const std::uint32_t kept = value != value ? word | 0x400000U : nearest;
    return std::bit_cast<float>(kept & 0xffff0000U);
  }
}

/// Stores what is already rounded.
template <typename T>
inline T narrow_rounded(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    bfloat16 result;
    result.bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
    return result;
  }
}

/// The same rounding as bfloat16's constructor.
template <typename T>
inline T narrow(float value) {
  return narrow_rounded<T>(rounded<T>(value));
}

/// Moves along an operand that may be absent.
template <typename T>
inline T* advance(T* operand, std::int64_t n) {
  return operand == nullptr ? nullptr : operand + n;
}

/// Calls body(float{}) or body(bfloat16{}).
template <typename Body>
void with_type(DType dtype, const Body& body) {
  RETORT_CHECK(dtype == DType::f32 || dtype == DType::bf16, "dtype ", static_cast<int>(dtype), " is not f32 or bf16");
  if (dtype == DType::f32) {
    body(float{});
  } else {
    body(bfloat16{});
  }
}

/// Calls body(std::true_type{}) or body(std::false_type{}).
template <typename Body>
void with_flag(bool flag, const Body& body) {
  if (flag) {
    body(std::true_type{});
  } else {
    body(std::false_type{});
  }
}

}  // namespace retort::cpu
