// The words every kernel family shares: devices, element types, and what a launch needs to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define RETORT_HOST_DEVICE __host__ __device__
#else
#define RETORT_HOST_DEVICE
#endif

namespace retort {

enum class Device : std::uint8_t { cpu, cuda };
enum class DType : std::uint8_t { f32, bf16, i32, u8 };

/// How convolutions and matrix products compute. fp32 is the reference mode: no TF32, no bf16.
enum class Precision : std::uint8_t { fp32, tf32, bf16 };

constexpr std::size_t size_of(DType type) {
  return type == DType::bf16 ? 2 : type == DType::u8 ? 1 : 4;
}

/// The upper half of an IEEE binary32. Conversion from float rounds to nearest, ties to even; NaN stays NaN.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  RETORT_HOST_DEVICE explicit bfloat16(float value) {
    std::uint32_t word;
    std::memcpy(&word, &value, sizeof word);
    if ((word & 0x7fffffffU) > 0x7f800000U) {
      bits = static_cast<std::uint16_t>((word >> 16) | 0x40U);
    } else {
      bits = static_cast<std::uint16_t>((word + 0x7fffU + ((word >> 16) & 1U)) >> 16);
    }
  }
  RETORT_HOST_DEVICE explicit operator float() const {
    const std::uint32_t word = static_cast<std::uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
  }
};

/// What a launcher needs besides its operands. Kernels allocate nothing: scratch memory comes from here, at least as
/// large as the family's *_workspace() function says.
struct Launch {
  static constexpr int kTickets = 4096;

  void* stream = nullptr;  ///< cudaStream_t; unused on the CPU
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
  Precision precision = Precision::fp32;
  /// kTickets counters that this stream alone uses: zero before a kernel and zero again behind it (cuda/last_block.h).
  std::uint32_t* tickets = nullptr;
};

}  // namespace retort

/// Declares the same functions once for each backend, so that the two can never drift apart. Where the CUDA kernels are
/// compiled into another namespace (tests/simt), for that too.
#if defined(RETORT_CUDA_NAMESPACE)
#define RETORT_OTHER_NAMESPACE RETORT_CUDA_NAMESPACE
#else
#define RETORT_OTHER_NAMESPACE cuda
#endif
#define RETORT_KERNELS(...)                  \
  namespace retort::cpu {                    \
  __VA_ARGS__                                \
  }                                          \
  namespace retort::cuda {                   \
  __VA_ARGS__                                \
  }                                          \
  namespace retort::RETORT_OTHER_NAMESPACE { \
  __VA_ARGS__                                \
  }
