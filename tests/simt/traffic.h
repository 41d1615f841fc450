// Memory traffic of kernels: how many requests warps make to device buffers, and how many sectors of 32 bytes these
// touch. A GPU moves whole sectors, so the useful share of them says how well accesses coalesce. Caches are not
// modelled. And the same of shared memory, whose price are passes through its banks (bank_conflicts.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace simt {

struct Traffic {
  std::uint64_t requests = 0;      ///< one for each instruction of a warp
  std::uint64_t sectors = 0;       ///< that the requests touch, each counted once a request
  std::uint64_t useful_bytes = 0;  ///< that threads asked for

  std::uint64_t shared_requests = 0;
  std::uint64_t shared_passes = 0;     ///< that these take
  std::uint64_t shared_conflicts = 0;  ///< passes that bank conflicts add

  static constexpr std::size_t kSectorBytes = 32;
  double sector_bytes() const { return static_cast<double>(sectors * kSectorBytes); }
};

/// Begins to count. Launches should run in one order (set_orders), or all are counted: traffic_of sees to that.
void start_counting();
/// What was counted since, and no more from now on.
Traffic stop_counting();

/// What `work` asks for in one order of threads.
Traffic traffic_of(const std::function<void()>& work);

enum class Space { device, shared };

/// Who makes an access: a lane, the time between two barriers of its block in which it does, and the instruction.
struct Accessing {
  std::uint32_t warp_in_grid;
  int lane;
  std::uint64_t phase;  ///< of one launch
  const void* site;
};

/// From the runner: the running thread accesses memory. Lanes of a warp that make their n-th access since the last
/// barrier at the same instruction make one request.
void count_access(const Accessing& by, Space space, const void* address, std::size_t bytes);
/// The running lane makes one wide access, which its next accesses within it belong to: compilers split them.
void count_wide_access(const Accessing& by, Space space, const void* address, std::size_t bytes);
bool counting();

}  // namespace simt
