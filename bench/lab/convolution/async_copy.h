// Copies from device to shared memory that go on while the thread does something else (cp.async, from sm_80 on),
// without passing through its registers.
#pragma once

#include <cstdint>

#include "kernels/cuda/device.h"

namespace retort::lab {

/// Sixteen bytes, both sides aligned; zeros if they are not `there`, and `from` is not read then. Nobody may use `to`
/// before this thread has waited and then met the others at a barrier.
__device__ __forceinline__ void begin_copy(void* to, const void* from, bool there) {
#if defined(RETORT_SIMT)
  ::simt::begin_copy(to, from, 16, there ? 16 : 0);
#else
  asm volatile(
      "cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(to))),
      "l"(__cvta_generic_to_global(from)), "r"(there ? 16 : 0)
      : "memory");
#endif
}

/// Makes a group of the copies begun since the last.
__device__ __forceinline__ void commit_copies() {
#if defined(RETORT_SIMT)
  ::simt::commit_copies();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits for all groups of this thread but the kPending last.
template <int kPending>
__device__ __forceinline__ void wait_for_copies() {
#if defined(RETORT_SIMT)
  ::simt::wait_for_copies(kPending);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

}  // namespace retort::lab
