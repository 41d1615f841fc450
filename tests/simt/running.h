// The launch that is running, for those who run it (runner.cpp) and those who look at what it does (watch.cpp).
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/simt/copies.h"
#include "tests/simt/fences.h"
#include "tests/simt/finding.h"
#include "tests/simt/memory.h"
#include "tests/simt/runner.h"

namespace simt {

namespace context = boost::context::detail;

constexpr std::size_t kStackBytes = 128 * 1024;
constexpr std::size_t kGuardBytes = 64 * 1024;  ///< a whole number of pages anywhere

enum class State { ready, at_barrier, in_warp, finished };

struct Thread {
  context::fcontext_t fiber = nullptr;
  std::byte* stack = nullptr;
  Index index;
  int number = 0;  ///< in the block
  State state = State::ready;
  const void* site = nullptr;  ///< where it waits
  const char* file = nullptr;  ///< of the barrier, which optimisation may have copied to several sites
  int line = 0;
  // Of the warp operation that it waits in.
  unsigned mask = 0;
  const char* operation = nullptr;
  std::uint64_t value = 0;
  std::uint64_t values[kWarpSize] = {};  ///< of all lanes, once they are together
  std::uint32_t block_epoch = 0;
  std::uint32_t warp_epoch = 1;
  std::uint32_t heard[kWarpSize] = {};  ///< of each lane: the last warp_epoch that this thread is ordered behind
  bool in_runner = false;               ///< its accesses are the runner's own
  Copies copies;
  Fencing fencing;

  int warp() const { return number / kWarpSize; }
  int lane() const { return number % kWarpSize; }
};

/// The launch that is running. One at a time: everything happens on the host's thread.
struct Run {
  const char* name = nullptr;
  Extent grid, block;
  const Body* body = nullptr;
  void* dynamic_shared = nullptr;
  std::uint32_t number = 0;  ///< of all launches, each order counted
  Index block_index;
  std::uint32_t block_number = 0;
  std::vector<Thread> threads;
  Thread* current = nullptr;
  std::map<std::pair<const Region*, std::size_t>, Word> words;  ///< by their place: those changed behind a fence
  context::fcontext_t scheduler = nullptr;
  struct Wrong {
    FindingKind kind;
    std::string what;
    const void* site;
  };
  std::optional<Wrong> wrong;  ///< what the thread did that ran last
};

inline Run* active = nullptr;
inline bool watching = true;  ///< whether accesses are checked

/// "thread (1, 0, 0) of block (2, 0, 0)"
std::string who(const Run& run, std::uint32_t block, std::uint32_t thread);
std::string who(const Run& run, const Thread& thread);

/// Ends the launch from within a thread. The message is written by the scheduler: it wants more stack than a fiber has.
[[noreturn]] void stop(FindingKind kind, const std::string& what, const void* site);

/// While it lives, the running thread is not watched. Templates of the standard library that a .cu file uses as well
/// are linked once, perhaps with the kernels' instrumentation, so that the runner's own strings would be reported.
class Unwatched {
 public:
  explicit Unwatched(Thread& thread) : thread_(thread), before_(thread.in_runner) { thread.in_runner = true; }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
  ~Unwatched() { thread_.in_runner = before_; }

 private:
  Thread& thread_;
  const bool before_;
};

}  // namespace simt
