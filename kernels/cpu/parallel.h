// Loops over fixed chunks. Where a chunk begins never depends on the number of threads, so neither does any sum.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace retort::cpu {

/// In which order a thread walks through its own chunks. A second pass that starts where the first one ended still
/// finds the end of the data in its cache.
enum class Walk { upwards, downwards };

/// Calls body(chunk) once for each chunk in [0, count); neighbouring chunks go to the same thread.
template <typename Body>
void for_each_chunk(std::int64_t count, const Body& body, Walk walk = Walk::upwards) {
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    if (walk == Walk::upwards) {
      for (std::int64_t chunk = begin; chunk < end; ++chunk) body(chunk);
    } else {
      for (std::int64_t chunk = end; chunk-- > begin;) body(chunk);
    }
  };
  if (count <= 1) return run(0, count);  // not worth waking the others
#pragma omp parallel
  {
    const std::int64_t threads = omp_get_num_threads();
    const std::int64_t self = omp_get_thread_num();
    run(count * self / threads, count * (self + 1) / threads);
  }
}

constexpr std::int64_t chunk_count(std::int64_t n, std::int64_t grain) {
  return (n + grain - 1) / grain;
}

/// Calls body(begin, end) for [0, n) in pieces of `grain`.
template <typename Body>
void for_ranges(std::int64_t n, std::int64_t grain, const Body& body) {
  for_each_chunk(chunk_count(n, grain),
                 [&](std::int64_t chunk) { body(chunk * grain, std::min(n, (chunk + 1) * grain)); });
}

/// Items of `item_size` elements that make a piece of about `elements` elements.
constexpr std::int64_t grain_of(std::int64_t item_size, std::int64_t elements = 16384) {
  return std::max<std::int64_t>(1, elements / std::max<std::int64_t>(1, item_size));
}

}  // namespace retort::cpu
