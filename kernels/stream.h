// Streams: work that is launched on one is done in order. On the CPU a launch is done when it returns, and there are
// none.
#pragma once

#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  /// For Launch::stream; null on the CPU. Work on the default stream (null) and on another waits for each other.
  void* make_stream();
  void release_stream(void* stream) noexcept;
  /// What is launched on `later` from now on begins when everything launched on `earlier` so far is done.
  void order_after(const Launch& later, const Launch& earlier);
  /// Memory, zero at first, that kernels write and the host reads once the kernel is known to be done.
  void* allocate_shared(std::size_t bytes);
  void deallocate_shared(void* pointer) noexcept;
)
// clang-format on
