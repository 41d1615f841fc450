// What a warp's request to shared memory costs. The memory has 32 banks of 4 bytes, each of which gives one word in a
// pass; lanes that want the same word share it. A request of 8 bytes a lane is served by half warps, one of 16 bytes by
// quarters, so that it takes at least 2 or 4 passes. (GPUs may do better where those read the same words.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace simt {

struct SharedAccess {
  int lane;
  std::uintptr_t address;
  std::size_t bytes;
};

struct BankUse {
  std::uint64_t passes = 0;     ///< that the request takes
  std::uint64_t conflicts = 0;  ///< how many of these a better layout would save
};

/// Of one request: an access of each lane that takes part.
BankUse bank_use(const std::vector<SharedAccess>& request);

}  // namespace simt
