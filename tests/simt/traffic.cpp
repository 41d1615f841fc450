#include "tests/simt/traffic.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "tests/simt/bank_conflicts.h"
#include "tests/simt/runner.h"

namespace simt {
namespace {

struct LaneState {
  struct {
    std::unordered_map<const void*, std::uint64_t> accesses;  // at each instruction in this phase
    std::uintptr_t wide_begin = 0, wide_end = 0;
  } in[2];  // of each space
  std::uint64_t phase = 0;
};

struct Request {
  std::uint32_t warp;
  std::uint64_t phase;
  const void* site;
  std::uint64_t turn;  ///< how often its lanes had been there in this phase

  bool operator==(const Request&) const = default;
};

struct RequestHash {
  std::size_t operator()(const Request& r) const {
    std::size_t hash = 0;
    for (const std::uint64_t part : {std::uint64_t{r.warp}, r.phase, reinterpret_cast<std::uint64_t>(r.site), r.turn}) {
      hash = (hash ^ part) * 0x9e3779b97f4a7c15U;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

struct Counter {
  std::unordered_map<std::uint64_t, LaneState> lanes;
  std::unordered_map<Request, std::vector<std::uintptr_t>, RequestHash> sectors;  // of lanes, perhaps the same
  std::unordered_map<Request, std::vector<SharedAccess>, RequestHash> shared;
  std::uint64_t useful_bytes = 0;
};

Counter* active_counter = nullptr;

void add(LaneState& state, const Accessing& by, Space space, std::uintptr_t begin, std::size_t bytes) {
  const Request request{by.warp_in_grid, by.phase, by.site, state.in[static_cast<int>(space)].accesses[by.site]++};
  if (space == Space::shared) return active_counter->shared[request].push_back({by.lane, begin, bytes});
  std::vector<std::uintptr_t>& touched = active_counter->sectors[request];
  for (std::uintptr_t s = begin / Traffic::kSectorBytes; s <= (begin + bytes - 1) / Traffic::kSectorBytes; ++s) {
    if (touched.empty() || touched.back() != s) touched.push_back(s);
  }
  active_counter->useful_bytes += bytes;
}

LaneState& state_of(const Accessing& by) {
  LaneState& state = active_counter->lanes[std::uint64_t{by.warp_in_grid} * 32 + static_cast<std::uint64_t>(by.lane)];
  if (state.phase != by.phase) {
    // Lanes that left out an access, in a branch say, are in step again.
    for (auto& each : state.in) each.accesses.clear();
    state.phase = by.phase;
  }
  return state;
}

}  // namespace

bool counting() {
  return active_counter != nullptr;
}

void start_counting() {
  delete active_counter;
  active_counter = new Counter;
}

Traffic stop_counting() {
  Traffic traffic;
  if (active_counter == nullptr) return traffic;
  traffic.requests = active_counter->sectors.size();
  for (auto& [request, touched] : active_counter->sectors) {
    std::sort(touched.begin(), touched.end());
    traffic.sectors += static_cast<std::uint64_t>(std::unique(touched.begin(), touched.end()) - touched.begin());
  }
  traffic.useful_bytes = active_counter->useful_bytes;
  traffic.shared_requests = active_counter->shared.size();
  for (const auto& [request, accesses] : active_counter->shared) {
    const BankUse use = bank_use(accesses);
    traffic.shared_passes += use.passes;
    traffic.shared_conflicts += use.conflicts;
  }
  delete active_counter;
  active_counter = nullptr;
  return traffic;
}

Traffic traffic_of(const std::function<void()>& work) {
  struct OneOrder {
    OneOrder() { set_orders(1); }
    ~OneOrder() { set_orders(3); }
  };
  const OneOrder now;
  start_counting();
  work();
  return stop_counting();
}

void count_access(const Accessing& by, Space space, const void* address, std::size_t bytes) {
  LaneState& state = state_of(by);
  auto& in = state.in[static_cast<int>(space)];
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  if (begin >= in.wide_begin && begin + bytes <= in.wide_end) return;
  in.wide_begin = in.wide_end = 0;
  add(state, by, space, begin, bytes);
}

void count_wide_access(const Accessing& by, Space space, const void* address, std::size_t bytes) {
  LaneState& state = state_of(by);
  auto& in = state.in[static_cast<int>(space)];
  in.wide_begin = reinterpret_cast<std::uintptr_t>(address);
  in.wide_end = in.wide_begin + bytes;
  add(state, by, space, in.wide_begin, bytes);
}

}  // namespace simt
