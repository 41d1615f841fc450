#include "tests/simt/runner.h"

#include <sys/mman.h>

#include <algorithm>
#include <boost/context/detail/fcontext.hpp>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <sstream>
#include <tuple>
#include <vector>

#include "tests/simt/copies.h"
#include "tests/simt/fences.h"
#include "tests/simt/statics.h"
#include "tests/simt/traffic.h"
#include "tests/simt/watch.h"

namespace simt {
namespace {

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

Run* active = nullptr;
int wanted_orders = 3;
bool watching = true;
void (*open_gate)() = nullptr;
void (*close_gate)() = nullptr;

/// Stacks are kept between launches. What lies below one cannot be accessed, so that a thread that wants more ends the
/// program there, and does not write into the heap.
std::byte* stack(std::size_t i) {
  static std::vector<std::byte*> stacks;
  while (stacks.size() <= i) {
    void* room = mmap(nullptr, kGuardBytes + kStackBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) throw std::bad_alloc();
    std::byte* const begin = static_cast<std::byte*>(room) + kGuardBytes;
    if (mprotect(begin, kStackBytes, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    stacks.push_back(begin);
  }
  return stacks[i];
}

/// Hands over to the scheduler, which comes back when the thread may go on.
void pause() {
  Thread* self = active->current;
  const context::transfer_t back = context::jump_fcontext(active->scheduler, nullptr);
  active->scheduler = back.fctx;
  active->current = self;
}

void thread_main(context::transfer_t from) {
  active->scheduler = from.fctx;
  (*active->body)();
  active->current->state = State::finished;
  pause();
}

std::string who(const Run& run, std::uint32_t block, std::uint32_t thread) {
  const auto place = [](std::uint32_t i, Extent e) {
    std::ostringstream out;
    out << "(" << i % e.x << ", " << i / e.x % e.y << ", " << i / e.x / e.y << ")";
    return out.str();
  };
  return "thread " + place(thread, run.block) + " of block " + place(block, run.grid);
}
std::string who(const Run& run, const Thread& thread) {
  return who(run, run.block_number, static_cast<std::uint32_t>(thread.number));
}

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

std::string verb_of(AccessKind kind) {
  return kind == AccessKind::read ? "reads " : kind == AccessKind::atomic ? "changes " : "writes ";
}

/// Ends the launch from within a thread. The message is written by the scheduler: it wants more stack than a fiber has.
[[noreturn]] void stop(FindingKind kind, const std::string& what, const void* site) {
  active->wrong = {kind, what, site};
  for (;;) pause();  // the scheduler never comes back
}

/// Runs a thread until it waits or ends.
void resume(Run& run, Thread& thread) {
  run.current = &thread;
  thread.fiber = context::jump_fcontext(thread.fiber, nullptr).fctx;
  run.current = nullptr;
}

/// Lets the warp's lanes go on whose operation is complete. Whether any did.
bool release_warp(Run& run, int warp) {
  const auto begin = run.threads.begin() + static_cast<std::ptrdiff_t>(warp) * kWarpSize;
  const auto end = run.threads.begin() +
                   std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(run.threads.size()), (warp + 1L) * kWarpSize);
  bool any = false;
  for (auto first = begin; first != end; ++first) {
    if (first->state != State::in_warp) continue;
    const auto together = [&](const Thread& t) {
      return t.state == State::in_warp && t.mask == first->mask && t.operation == first->operation;
    };
    bool complete = true;
    for (int lane = 0; lane < kWarpSize; ++lane) {
      if ((first->mask >> lane & 1U) != 0 && !(lane < end - begin && together(begin[lane]))) complete = false;
    }
    if (!complete) continue;
    const unsigned mask = first->mask;
    // Each has now heard of what any of them had, and of all that they have done until here.
    std::uint32_t heard[kWarpSize] = {};
    Behind behind;
    for (int lane = 0; lane < end - begin; ++lane) {
      if ((mask >> lane & 1U) == 0) continue;
      const Thread& t = begin[lane];
      for (int other = 0; other < kWarpSize; ++other) heard[other] = std::max(heard[other], t.heard[other]);
      heard[lane] = t.warp_epoch;
      behind.add(t.fencing.behind);
    }
    for (int lane = 0; lane < end - begin; ++lane) {
      if ((mask >> lane & 1U) == 0) continue;
      for (int other = 0; other < end - begin; ++other) begin[lane].values[other] = begin[other].value;
      begin[lane].state = State::ready;
      begin[lane].warp_epoch += 1;
      std::copy_n(heard, kWarpSize, begin[lane].heard);
      if (!behind.empty()) begin[lane].fencing.behind = behind;
    }
    any = true;
  }
  return any;
}

/// Whether both wait at the same barrier of the source.
bool same_barrier(const Thread& a, const Thread& b) {
  return a.line == b.line && std::strcmp(a.file, b.file) == 0;
}

/// Says why no thread of the block can go on.
Finding stuck(const Run& run) {
  const Thread* waiting = nullptr;
  const Thread* elsewhere = nullptr;
  for (const Thread& t : run.threads) {
    if (t.state == State::in_warp && (waiting == nullptr || waiting->state == State::at_barrier)) waiting = &t;
    if (t.state == State::at_barrier && waiting == nullptr) waiting = &t;
  }
  const bool warp = waiting->state == State::in_warp;
  for (const Thread& t : run.threads) {
    if (&t == waiting) continue;
    if (warp && (t.warp() != waiting->warp() || (waiting->mask >> t.lane() & 1U) == 0)) continue;
    if (t.state == waiting->state &&
        (warp ? t.site == waiting->site && t.mask == waiting->mask : same_barrier(t, *waiting))) {
      continue;
    }
    elsewhere = &t;
    break;
  }
  std::string what = std::string(run.name) + ": " + who(run, *waiting) + " waits in " +
                     (warp ? waiting->operation : "__syncthreads") + " at " + source_line(waiting->site) + ", but ";
  if (elsewhere == nullptr) {
    what += "a lane of its mask does not exist";
  } else {
    what += who(run, *elsewhere);
    what += elsewhere->state == State::finished
                ? " has ended"
                : " waits in " +
                      std::string(elsewhere->state == State::in_warp ? elsewhere->operation : "__syncthreads") +
                      " at " + source_line(elsewhere->site);
  }
  return {warp ? FindingKind::divergent_warp : FindingKind::divergent_barrier, what};
}

/// Lets the block go on behind a barrier that all of it has reached.
bool release_barrier(Run& run) {
  for (const Thread& t : run.threads) {
    if (t.state != State::at_barrier || !same_barrier(t, run.threads.front())) return false;
  }
  Behind behind;
  for (const Thread& t : run.threads) behind.add(t.fencing.behind);
  for (Thread& t : run.threads) {
    t.state = State::ready;
    t.block_epoch += 1;
    if (!behind.empty()) t.fencing.behind = behind;
  }
  return true;
}

void run_block(Run& run, std::uint32_t number, std::mt19937* random, std::size_t dynamic_shared_bytes) {
  run.block_number = number;
  run.block_index = {number % run.grid.x, number / run.grid.x % run.grid.y, number / run.grid.x / run.grid.y};
  run.dynamic_shared = Memory::instance().begin_block(dynamic_shared_bytes);
  run.threads.assign(run.block.count(), Thread{});
  for (std::size_t i = 0; i < run.threads.size(); ++i) {
    Thread& t = run.threads[i];
    t.number = static_cast<int>(i);
    const auto n = static_cast<unsigned>(i);
    t.index = {n % run.block.x, n / run.block.x % run.block.y, n / run.block.x / run.block.y};
    t.stack = stack(i);
    t.fiber = context::make_fcontext(t.stack + kStackBytes, kStackBytes, thread_main);
  }
  std::vector<int> warps((run.threads.size() + kWarpSize - 1) / kWarpSize);
  for (std::size_t w = 0; w < warps.size(); ++w) warps[w] = static_cast<int>(w);
  std::vector<int> lanes(kWarpSize);
  for (int lane = 0; lane < kWarpSize; ++lane) lanes[static_cast<std::size_t>(lane)] = lane;
  for (;;) {
    bool ran = false;
    if (random != nullptr) std::shuffle(warps.begin(), warps.end(), *random);
    for (const int warp : warps) {
      do {
        if (random != nullptr) std::shuffle(lanes.begin(), lanes.end(), *random);
        for (const int lane : lanes) {
          const std::size_t i = static_cast<std::size_t>(warp) * kWarpSize + static_cast<std::size_t>(lane);
          if (i >= run.threads.size() || run.threads[i].state != State::ready) continue;
          resume(run, run.threads[i]);
          ran = true;
          if (run.wrong) {
            throw Finding(run.wrong->kind, std::string(run.name) + ": " + who(run, run.threads[i]) + " " +
                                               run.wrong->what + ", at " + source_line(run.wrong->site));
          }
        }
      } while (release_warp(run, warp));
    }
    if (ran) continue;
    if (std::all_of(run.threads.begin(), run.threads.end(),
                    [](const Thread& t) { return t.state == State::finished; })) {
      return;
    }
    if (!release_barrier(run)) throw stuck(run);
  }
}

void run_blocks(Run& run, const std::vector<std::uint32_t>& numbers, std::mt19937* random,
                std::size_t dynamic_shared_bytes) {
  struct Active {
    explicit Active(Run& run) {
      active = &run;
      if (open_gate != nullptr) open_gate();
    }
    ~Active() {
      if (close_gate != nullptr) close_gate();
      active = nullptr;
    }
  };
  const Active now(run);
  for (const std::uint32_t number : numbers) run_block(run, number, random, dynamic_shared_bytes);
}

/// The bytes of all buffers, and which of them count as written.
struct Snapshot {
  struct Copy {
    Region* region;
    std::vector<std::byte> bytes;
    std::vector<bool> written;
  };
  std::vector<Copy> copies;

  Snapshot() {
    for (const auto& [begin, region] : Memory::instance().buffers()) {
      copies.push_back({region.get(), {region->begin, region->begin + region->bytes}, region->written()});
    }
  }
  void restore() const {
    for (const Copy& copy : copies) {
      std::copy(copy.bytes.begin(), copy.bytes.end(), copy.region->begin);
      copy.region->set_written(copy.written);
    }
  }
  /// Empty if memory is as it was.
  std::string difference() const {
    for (const Copy& copy : copies) {
      const auto at = std::mismatch(copy.bytes.begin(), copy.bytes.end(), copy.region->begin).first;
      if (at != copy.bytes.end()) {
        return "byte " + std::to_string(at - copy.bytes.begin()) + " of " + copy.region->name;
      }
    }
    return {};
  }
};

}  // namespace

void set_orders(int orders) {
  wanted_orders = std::max(1, orders);
}
void set_watching(bool on) {
  watching = on;
}
void set_gate(void (*open)(), void (*close)()) {
  open_gate = open;
  close_gate = close;
}

namespace {

/// What a launch may be on every device that CUDA still serves; more shared memory has to be asked for there.
void check_limits(const char* name, Extent grid, Extent block, std::size_t dynamic_shared_bytes) {
  const auto within = [](const Extent& e, unsigned x, unsigned y, unsigned z) {
    return e.x > 0 && e.y > 0 && e.z > 0 && e.x <= x && e.y <= y && e.z <= z;
  };
  const auto written = [](const Extent& e) {
    return "(" + std::to_string(e.x) + ", " + std::to_string(e.y) + ", " + std::to_string(e.z) + ")";
  };
  std::string what;
  if (!within(grid, INT32_MAX, 65535, 65535)) what = "a grid of " + written(grid) + " blocks";
  if (!within(block, 1024, 1024, 64) || block.count() > 1024) what = "a block of " + written(block) + " threads";
  if (dynamic_shared_bytes > 48 * 1024) what = std::to_string(dynamic_shared_bytes) + " bytes of dynamic shared memory";
  if (!what.empty()) throw Finding(FindingKind::not_allowed, std::string(name) + ": " + what);
}

}  // namespace

void run(const char* name, Extent grid, Extent block, std::size_t dynamic_shared_bytes, const Body& body) {
  check_limits(name, grid, block, dynamic_shared_bytes);
  static_variable_at(nullptr);  // reads the symbols here: their names may want more stack than a fiber has
  const Snapshot before;
  std::optional<Snapshot> first_result;
  for (int order = 0; order < wanted_orders; ++order) {
    if (order > 0) before.restore();
    for (const auto& [begin, region] : Memory::instance().buffers()) region->begin_round();
    std::mt19937 random(static_cast<unsigned>(order));
    std::vector<std::uint32_t> blocks(grid.count());
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::uint32_t>(i);
    if (order > 0) std::shuffle(blocks.begin(), blocks.end(), random);
    Run launch;
    static std::uint32_t launches = 0;
    launch.name = name;
    launch.number = launches++;
    launch.grid = grid;
    launch.block = block;
    launch.body = &body;
    run_blocks(launch, blocks, order > 0 ? &random : nullptr, dynamic_shared_bytes);
    if (order == 0) {
      if (wanted_orders > 1) first_result.emplace();
    } else if (const std::string difference = first_result->difference(); !difference.empty()) {
      throw Finding(FindingKind::order_dependence,
                    std::string(name) + ": " + difference + " depends on the order in which threads run");
    }
  }
}

Index thread_index() {
  return active->current->index;
}
Index block_index() {
  return active->block_index;
}
Extent block_extent() {
  return active->block;
}
Extent grid_extent() {
  return active->grid;
}
void* dynamic_shared() {
  return active->dynamic_shared;
}

void barrier(const char* file, int line) {
  Thread& self = *active->current;
  self.file = file;
  self.line = line;
  self.site = __builtin_return_address(0);
  self.state = State::at_barrier;
  pause();
}

Exchange::Exchange(unsigned mask, const void* value, std::size_t bytes, const char* operation, int width)
    : mask_(mask), lane_(active->current->lane()), site_(__builtin_return_address(0)), operation_(operation) {
  Thread& self = *active->current;
  const Unwatched unwatched(self);
  self.site = site_;
  self.mask = mask;
  self.operation = operation;
  if (bytes > 0) std::memcpy(&self.value, value, bytes);
  if (width <= 0 || width > kWarpSize || (width & (width - 1)) != 0) {
    stop(FindingKind::not_allowed, "passes the width " + std::to_string(width) + " to " + operation, site_);
  }
  if ((mask >> lane_ & 1U) == 0)
    stop(FindingKind::divergent_warp, std::string("is not in the mask of its ") + operation, site_);
  self.state = State::in_warp;
  pause();
  values_ = self.values;
}

void Exchange::read(int lane, void* value, std::size_t bytes) const {
  const Unwatched unwatched(*active->current);
  if (lane < 0 || lane >= kWarpSize || !has(lane)) {
    stop(FindingKind::divergent_warp,
         "reads lane " + std::to_string(lane) + ", which is not in the mask of its " + operation_, site_);
  }
  std::memcpy(value, &values_[lane], bytes);
}

namespace {

Accessing accessing(const Thread& thread, const void* site) {
  const auto warps = static_cast<std::uint32_t>((active->threads.size() + kWarpSize - 1) / kWarpSize);
  return {active->block_number * warps + static_cast<std::uint32_t>(thread.warp()), thread.lane(),
          std::uint64_t{active->number} << 32 | thread.block_epoch, site};
}
Space space_of(const Region& region) {
  return region.shared ? Space::shared : Space::device;
}

Accessor accessor(const Thread& self) {
  return {{active->block_number, self.block_epoch, self.warp_epoch, static_cast<std::uint16_t>(self.number)},
          self.heard,
          &self.fencing.behind};
}

/// Remembers an access within a region, or ends the launch.
void note(const Thread& self, Region& region, std::size_t offset, std::size_t bytes, AccessKind kind,
          const void* site) {
  Stamp other;
  const Region::Verdict verdict = region.note(offset, bytes, kind, accessor(self), &other);
  if (verdict == Region::Verdict::fine) return;
  const std::string place = verb_of(kind) + ("byte " + std::to_string(offset) + " of " + region.name);
  if (verdict == Region::Verdict::race) {
    stop(FindingKind::race,
         place + ", which " + who(*active, other.block, other.thread) + " uses with no " +
             (other.block == active->block_number ? "barrier" : "fences and atomics") + " between the two",
         site);
  }
  stop(FindingKind::uninitialised, place + ", which nobody wrote", site);
}

/// What a change of device memory means for fences.
void tell_fences(Thread& self, const Region& region, std::size_t offset, AccessKind kind) {
  const auto place = std::pair{&region, offset};
  const auto known = active->words.find(place);
  if (known != active->words.end()) {
    Word& word = known->second;
    if (kind == AccessKind::atomic) {
      self.fencing.read.add(word);
    } else {
      word.begin = word.fences.size();
    }
  }
  if (kind != AccessKind::write && self.fencing.last) active->words[place].fences.push_back(self.fencing.last);
}

}  // namespace

void watch(void* address, std::size_t bytes, AccessKind kind, const void* site, bool aligned) {
  if (!watching || active == nullptr || active->current == nullptr) return;
  Thread& self = *active->current;
  if (self.in_runner) return;
  const Unwatched unwatched(self);
  auto* p = static_cast<std::byte*>(address);
  if (p >= self.stack && p < self.stack + kStackBytes) return;
  Memory& memory = Memory::instance();
  Region* region = memory.find(address);
  const auto offset = region == nullptr ? 0 : static_cast<std::size_t>(p - region->begin);
  if (region == nullptr || offset + bytes > region->bytes) {
    if (region == nullptr && kind == AccessKind::read && is_constant(address)) return;
    stop(FindingKind::out_of_bounds,
         verb_of(kind) + std::to_string(bytes) + " bytes " + memory.describe(p + (region == nullptr ? 0 : bytes - 1)),
         site);
  }
  if (aligned && reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
    stop(FindingKind::misaligned,
         verb_of(kind) + std::to_string(bytes) + " bytes at byte " + std::to_string(offset) + " of " + region->name,
         site);
  }
  if (counting()) count_access(accessing(self, site), space_of(*region), address, bytes);
  note(self, *region, offset, bytes, kind, site);
  if (!region->shared && kind != AccessKind::read) tell_fences(self, *region, offset, kind);
}

namespace {

void check_wide(const void* address, std::size_t bytes, const void* site) {
  Thread& self = *active->current;
  const Unwatched unwatched(self);
  if (reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
    stop(FindingKind::misaligned,
         "accesses " + std::to_string(bytes) + " bytes at an address that is no multiple of it", site);
  }
  if (!counting()) return;
  const Region* region = Memory::instance().find(address);
  if (region != nullptr) count_wide_access(accessing(self, site), space_of(*region), address, bytes);
}

}  // namespace

void check_aligned(const void* address, std::size_t bytes) {
  check_wide(address, bytes, __builtin_return_address(0));
}

void begin_copy(void* to, const void* from, std::size_t bytes, std::size_t from_bytes) {
  const void* site = __builtin_return_address(0);
  Thread& self = *active->current;
  if (watching) {
    if (from_bytes > 0) {
      check_wide(from, bytes, site);
      watch(const_cast<void*>(from), from_bytes, AccessKind::read, site);
    }
    check_wide(to, bytes, site);
    watch(to, bytes, AccessKind::write, site);  // from now on, nobody may use it
    const Unwatched unwatched(self);
    Region* target = Memory::instance().find(to);
    if (!target->shared) stop(FindingKind::not_allowed, "begins a copy to what is not shared memory", site);
    target->mark_written(target->offset(to), bytes, false);
  }
  const Unwatched unwatched(self);
  self.copies.begin({to, from, bytes, from_bytes, site});
}

void commit_copies() {
  const Unwatched unwatched(*active->current);
  active->current->copies.commit();
}

void wait_for_copies(int pending) {
  Thread& self = *active->current;
  const Unwatched unwatched(self);
  for (const Copies::Copy& copy : self.copies.take(pending)) {
    std::memcpy(copy.to, copy.from, copy.from_bytes);
    std::memset(static_cast<std::byte*>(copy.to) + copy.from_bytes, 0, copy.bytes - copy.from_bytes);
    if (!watching) continue;
    // Here again, for the copy may have been made at any time since.
    for (const auto& [address, bytes, kind] : {std::tuple{copy.from, copy.from_bytes, AccessKind::read},
                                               {static_cast<const void*>(copy.to), copy.bytes, AccessKind::write}}) {
      if (bytes == 0) continue;
      Region* region = Memory::instance().find(address);
      note(self, *region, region->offset(address), bytes, kind, copy.site);
    }
  }
}

void note_atomic(void* address, std::size_t bytes, const void* site) {
  watch(address, bytes, AccessKind::atomic, site);
}

void note_atomic_store(void* address, std::size_t bytes, const void* site) {
  watch(address, bytes, AccessKind::atomic_store, site);
}

void fence() {
  if (!watching) return;
  Thread& self = *active->current;
  const Unwatched unwatched(self);
  self.fencing.fence(accessor(self));
  self.warp_epoch += 1;  // what it does from now on comes behind the fence
}

}  // namespace simt
