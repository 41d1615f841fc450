#include "engine/arena.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/device_memory.h"
#include "kernels/error.h"

namespace retort {
namespace {

constexpr std::size_t alignment = 256;
constexpr std::size_t guard_bytes = 64;
constexpr unsigned char guard_value = 0xA5;

std::size_t rounded(std::size_t bytes) { return (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment; }

/// A heap block is followed by guard words on the CPU; a kernel that wrote past its end is named here.
struct HeapBlock {
  DeviceBlock memory;
  std::size_t bytes = 0;
  const char* who = "";
  bool guarded = false;

  HeapBlock(Device device, std::size_t size, const char* owner)
      : memory(device, size + guard_bytes), bytes(size), who(owner), guarded(device == Device::cpu) {
    if (guarded) std::memset(static_cast<char*>(memory.data()) + bytes, guard_value, guard_bytes);
  }
  ~HeapBlock() {
    if (!guarded) return;
    const auto* guard = static_cast<const unsigned char*>(memory.data()) + bytes;
    for (std::size_t i = 0; i < guard_bytes; ++i) {
      if (guard[i] == guard_value) continue;
      std::fprintf(stderr, "retort: memory behind a block of %zu bytes of '%s' was overwritten\n", bytes, who);
      std::abort();
    }
  }
};

}  // namespace

struct Arena::State {
  struct Used {
    std::size_t bytes;
    const char* who;
  };
  std::map<std::size_t, Used> used;  // by offset
  std::unique_ptr<DeviceBlock> memory;
};

Arena::Arena(Device device, std::string name)
    : device_(device), name_(std::move(name)), state_(std::make_shared<State>()) {}

Arena::~Arena() = default;

void Arena::measure() {
  RETORT_CHECK(state_->used.empty(), "arena '", name_, "' is measured while ", state_->used.size(), " blocks are in use");
  mode_ = Mode::measuring;
  state_->memory.reset();
  high_water_ = 0;
  peak_owners_.clear();
}

void Arena::reserve(std::size_t bytes) {
  RETORT_CHECK(state_->used.empty(), "arena '", name_, "' is reserved while ", state_->used.size(), " blocks are in use");
  reserved_ = rounded(std::max(bytes, high_water_));
  state_->memory = std::make_unique<DeviceBlock>(device_, reserved_);
  mode_ = Mode::reserved;
}

std::size_t Arena::place(std::size_t bytes) {
  std::size_t offset = 0;
  for (const auto& [start, block] : state_->used) {
    if (start - offset >= bytes) break;
    offset = start + block.bytes;
  }
  return offset;
}

void Arena::note_peak() {
  peak_owners_.clear();
  for (const auto& [offset, block] : state_->used) peak_owners_[block.who] += block.bytes;
}

std::shared_ptr<void> Arena::allocate(std::size_t bytes, const char* who) {
  if (mode_ == Mode::heap) {
    auto block = std::make_shared<HeapBlock>(device_, bytes, who);
    return {block, block->memory.data()};
  }
  const std::size_t size = rounded(bytes);
  const std::size_t offset = place(size);
  const std::size_t end = offset + size;
  if (mode_ == Mode::reserved) {
    RETORT_CHECK_AS(ErrorKind::memory, end <= reserved_, "arena '", name_, "': ", who, " wants ", bytes,
                    " bytes at offset ", offset, " of ", reserved_, " reserved");
  }
  state_->used[offset] = {size, who};
  if (end > high_water_) {
    high_water_ = end;
    if (mode_ == Mode::measuring) note_peak();
  }
  // Measured blocks get addresses that nothing can be mapped at, so that a forgotten launch check crashes at once.
  char* base = mode_ == Mode::reserved ? static_cast<char*>(state_->memory->data()) : reinterpret_cast<char*>(alignment);
  return {static_cast<void*>(base + offset), [state = state_, offset](void*) { state->used.erase(offset); }};
}

std::vector<std::pair<std::string, std::size_t>> Arena::owners_at_peak() const {
  std::vector<std::pair<std::string, std::size_t>> owners(peak_owners_.begin(), peak_owners_.end());
  std::stable_sort(owners.begin(), owners.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return owners;
}

}  // namespace retort
