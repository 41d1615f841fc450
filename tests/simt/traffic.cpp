#include "tests/simt/traffic.h"

#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "tests/simt/runner.h"

namespace simt {
namespace {

struct LaneState {
  std::unordered_map<const void*, std::uint64_t> accesses;  // at each instruction, so far
  std::uintptr_t wide_begin = 0, wide_end = 0;
};

/// Warp, instruction, and how often its lanes had been there before.
using Request = std::tuple<std::uint32_t, const void*, std::uint64_t>;

struct Counter {
  std::map<std::uint64_t, LaneState> lanes;
  std::map<Request, std::set<std::uintptr_t>> sectors;
  std::uint64_t useful_bytes = 0;
};

Counter* active_counter = nullptr;

void add(LaneState& state, std::uint32_t warp, const void* address, std::size_t bytes, const void* site) {
  std::set<std::uintptr_t>& touched = active_counter->sectors[{warp, site, state.accesses[site]++}];
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  for (std::uintptr_t s = begin / Traffic::kSectorBytes; s <= (begin + bytes - 1) / Traffic::kSectorBytes; ++s) {
    touched.insert(s);
  }
  active_counter->useful_bytes += bytes;
}

LaneState& state_of(std::uint32_t warp, int lane) {
  return active_counter->lanes[std::uint64_t{warp} * 32 + static_cast<std::uint64_t>(lane)];
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
  for (const auto& [request, touched] : active_counter->sectors) traffic.sectors += touched.size();
  traffic.useful_bytes = active_counter->useful_bytes;
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

void count_access(std::uint32_t warp, int lane, const void* address, std::size_t bytes, const void* site) {
  LaneState& state = state_of(warp, lane);
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  if (begin >= state.wide_begin && begin + bytes <= state.wide_end) return;
  state.wide_begin = state.wide_end = 0;
  add(state, warp, address, bytes, site);
}

void count_wide_access(std::uint32_t warp, int lane, const void* address, std::size_t bytes, const void* site) {
  LaneState& state = state_of(warp, lane);
  add(state, warp, address, bytes, site);
  state.wide_begin = reinterpret_cast<std::uintptr_t>(address);
  state.wide_end = state.wide_begin + bytes;
}

}  // namespace simt
