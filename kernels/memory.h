// Device memory: raw blocks, copies and fills. Everything else takes pointers.
#pragma once

#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  /// At least `bytes` bytes aligned to 256; throws Error(memory). Contents are undefined.
  void* allocate(std::size_t bytes);
  void deallocate(void* pointer) noexcept;
  /// Bytes that allocate() could give now and real memory could back: on the CPU the least of what the system has
  /// available, the control group's limit and the process's own. SIZE_MAX where the system does not say.
  std::size_t available_memory();
  /// Host and device pointers in either place; complete on return for host memory.
  void copy_bytes(const Launch& launch, void* to, const void* from, std::size_t bytes);
  void fill_zero(const Launch& launch, void* to, std::size_t bytes);
  /// Waits until all launched work is done.
  void synchronize(const Launch& launch);
)
// clang-format on
