// What the tests of instructions that CUDA C++ has no word for launch:
// bench/lab/convolution/{tensor_core,async_copy}.h.
#pragma once

#include <cstdint>

namespace simt::instructions {

/// Lane l multiplies with registers left[4 l ..], right[2 l ..] and sums[4 l ..]; with `alone`, only half the warp
/// does.
void multiply(const std::uint32_t* left, const std::uint32_t* right, float* sums, bool alone);

/// Lane l names row l of 32 rows of 8 elements, `shift` elements further than it begins, and gets out[4 l ..].
void load_matrices(const std::uint16_t* rows, int shift, std::uint32_t* out);

enum class Mistake {
  none,
  no_wait,
  waits_for_one_group,
  no_commit,
  no_barrier,
  next_too_early,
  misaligned,
  to_device_memory,
};

/// 64 threads copy sixteen bytes each, and then the next 64 sixteen, through the same shared memory. Those of the
/// second that are not below `limit` are zeros. out[i] = what neighbour i ^ 63 has copied.
void copy(Mistake mistake, const float* in, int limit, float* out);

}  // namespace simt::instructions
