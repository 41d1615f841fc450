// The order between threads of different blocks, which only fences and atomics make: what comes before a fence and then
// an atomic change of a word is ordered before what another thread does behind a fence of its own, if it has changed
// that word atomically in between and so has read it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "tests/simt/memory.h"
#include "tests/simt/runner.h"

namespace simt {

struct Fence;

/// The fences before the atomic changes of a word, in the order of the changes.
struct Word {
  std::vector<std::shared_ptr<const Fence>> fences;
  std::size_t begin = 0;  ///< those before it are not to be seen any more: the word was overwritten
};

/// The fences of other threads that a thread is ordered behind.
class Behind {
 public:
  /// Those that who reads the word now gets to see.
  void add(const Word& word);
  void add(const Behind& other);
  /// And those that they are behind themselves.
  void add_behind_those();
  bool empty() const { return seen_.empty(); }
  void clear() { seen_.clear(); }
  /// Whether the access came before one of them.
  bool orders(const Stamp& access) const;

 private:
  struct Seen {
    const Word* word;
    std::size_t begin, end;
  };
  void add(const Seen& seen);

  std::vector<Seen> seen_;
};

struct Fence {
  Stamp at;                        ///< of the thread, when it made the fence
  std::uint32_t heard[kWarpSize];  ///< likewise
  Behind behind;
};

/// What a thread has to do with fences.
struct Fencing {
  std::shared_ptr<const Fence> last;  ///< that it made
  Behind read;                        ///< by its atomics since then: its next fence will be behind those
  Behind behind;

  /// It makes a fence.
  void fence(const Accessor& by);
};

}  // namespace simt
