// Fetching memory ahead of its use, a few cache lines at a time between pieces of computation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace retort::cpu {

/// Fetches a range of floats over so many calls: for reading into the second-level cache, for writing into the first.
template <bool kWrite>
class Prefetch {
 public:
  Prefetch(const float* from, std::int64_t floats, std::int64_t calls)
      : next_(from), end_(from + floats), step_((floats + calls * kLine - 1) / (calls * kLine)) {}

  void operator()() {
    for (std::int64_t i = 0; i < step_ && next_ < end_; ++i, next_ += kLine) {
      if constexpr (kWrite) {
        __builtin_prefetch(next_, 1, 3);
      } else {
        __builtin_prefetch(next_, 0, 2);
      }
    }
  }

 private:
  static constexpr std::int64_t kLine = 64 / sizeof(float);
  const float* next_;
  const float* end_;
  std::int64_t step_;  // lines a call
};

}  // namespace retort::cpu
