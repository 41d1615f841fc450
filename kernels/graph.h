// Recordings: launches that are not run but written down, with their operands' addresses, to be replayed as one (CUDA
// graphs). While a stream is recorded nothing may be allocated, released, waited for, or copied from or to the host.
#pragma once

#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  /// Whether there are recordings here at all (not on the CPU), and whether a part of one can depend on a number.
  bool has_recordings();
  bool has_conditions();
  /// What is launched on this stream is written down until end_recording, and so is what other streams are ordered after
  /// it (kernels/stream.h); they have to be joined again by then.
  void begin_recording(const Launch& launch);
  /// Something to replay. Throws Error(device) where something was launched that cannot be recorded.
  void* end_recording(const Launch& launch);
  /// Ends a recording in which something failed.
  void abandon_recording(const Launch& launch) noexcept;
  /// While `launch` is recorded: a stream whose launches, until end_condition, become a part that a replay runs only if
  /// `*count` (on the device) is at least `least` by then.
  void* begin_condition(const Launch& launch, const std::int32_t* count, int least);
  void end_condition(void* stream);
  void replay(const Launch& launch, void* recording);
  /// Of how many launches it consists; a conditional part counts as one.
  std::size_t recorded_launches(const void* recording);
  void release_recording(void* recording) noexcept;
)
// clang-format on
