// Points in a device's work, and the time between them. For profiles; nothing waits for a mark until it is asked about.
#pragma once

#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  /// A mark that is passed when everything launched before it is done.
  void* make_mark(const Launch& launch);
  void wait_for(void* mark);
  /// Seconds from one mark to the other; waits until both are passed.
  double seconds_between(void* first, void* second);
  void release_mark(void* mark) noexcept;
)
// clang-format on
