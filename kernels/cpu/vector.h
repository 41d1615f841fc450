// As many floats as one register holds, as one value.
#pragma once

#include <cstring>

namespace retort::cpu {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

// Functions below take it by reference: passed by value its calling convention would depend on the target.
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

/// From and to memory of any alignment.
inline __attribute__((always_inline)) void load(Vector& value, const float* from) {
  std::memcpy(&value, from, sizeof value);
}
inline __attribute__((always_inline)) void store(float* to, const Vector& value) {
  std::memcpy(to, &value, sizeof value);
}

/// Compilers may read a value from memory again at each use, taking that for free as part of an instruction; where
/// loads are the bottleneck this makes them load it once.
inline __attribute__((always_inline)) void keep_in_register([[maybe_unused]] Vector& value) {
#if defined(__AVX512F__)
  asm("" : "+v"(value));
#elif defined(__AVX__)
  asm("" : "+x"(value));
#endif
}

}  // namespace retort::cpu
