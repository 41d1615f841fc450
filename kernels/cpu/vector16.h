// Sixteen floats as one value. Compilers lower it to whatever registers the target has.
#pragma once

#include <cstring>

namespace retort::cpu {

constexpr int kLanes = 16;

// Functions below take it by reference: passed by value its calling convention would depend on the target.
typedef float Vector16 __attribute__((vector_size(kLanes * sizeof(float))));

/// From and to memory of any alignment.
inline __attribute__((always_inline)) void load(Vector16& value, const float* from) {
  std::memcpy(&value, from, sizeof value);
}
inline __attribute__((always_inline)) void store(float* to, const Vector16& value) {
  std::memcpy(to, &value, sizeof value);
}

/// Compilers may read a value from memory again at each use, taking that for free as part of an instruction; where
/// loads are the bottleneck this makes them load it once.
inline __attribute__((always_inline)) void keep_in_register([[maybe_unused]] Vector16& value) {
#if defined(__AVX512F__)
  asm("" : "+v"(value));
#endif
}

}  // namespace retort::cpu
