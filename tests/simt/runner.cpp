#include "tests/simt/runner.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <optional>
#include <random>
#include <sstream>
#include <vector>

#include "tests/simt/running.h"
#include "tests/simt/snapshot.h"
#include "tests/simt/statics.h"

namespace simt {
namespace {

int wanted_orders = 3;
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

}  // namespace

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

void stop(FindingKind kind, const std::string& what, const void* site) {
  active->wrong = {kind, what, site};
  for (;;) pause();  // the scheduler never comes back
}

namespace {

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

}  // namespace simt
