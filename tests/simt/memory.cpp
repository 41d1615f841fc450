#include "tests/simt/memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sstream>

#include "tests/simt/fences.h"
#include "tests/simt/runner.h"
#include "tests/simt/statics.h"

namespace simt {
namespace {

/// Whether something stands between an earlier access and one made now.
bool ordered(const Stamp& before, const Accessor& by) {
  const Stamp& now = by.stamp;
  if (before.block != now.block) return by.behind->orders(before);
  if (before.thread == now.thread || before.block_epoch != now.block_epoch) return true;
  return before.thread / kWarpSize == now.thread / kWarpSize &&
         before.warp_epoch <= by.heard[before.thread % kWarpSize];
}

bool same_moment(const Stamp& a, const Stamp& b) {
  return a.thread == b.thread && a.block == b.block && a.block_epoch == b.block_epoch && a.warp_epoch == b.warp_epoch;
}

/// Whether one of them has to wait for the other, and nothing makes it.
bool conflict(const Stamp& before, const Accessor& by) {
  return (before.bytes & by.stamp.bytes) != 0 && !(before.atomic && by.stamp.atomic) && !ordered(before, by);
}

}  // namespace

void Region::mark_written(std::size_t offset, std::size_t count, bool written) {
  std::fill_n(written_.begin() + static_cast<std::ptrdiff_t>(offset), count, written);
}

Region::Verdict Region::note(std::size_t offset, std::size_t count, AccessKind kind, const Accessor& by, Stamp* other) {
  Accessor self = by;
  Stamp& stamp = self.stamp;
  stamp.atomic = kind == AccessKind::atomic || kind == AccessKind::atomic_store;
  for (std::size_t i = offset / 2; i <= (offset + count - 1) / 2; ++i) {
    Cell& cell = cells_[i];
    if (cell.round != round_) cell = Cell{round_, {}, {}};
    stamp.bytes = static_cast<std::uint8_t>((2 * i >= offset ? 1 : 0) | (2 * i + 1 < offset + count ? 2 : 0));
    for (const Stamp& write : cell.writes) {
      if (!conflict(write, self)) continue;
      *other = write;
      return Verdict::race;
    }
    if (kind == AccessKind::read) {
      // Two readers are kept, preferably ones that a later writer is not ordered behind.
      Stamp& slot = !cell.reads[0].set() || ordered(cell.reads[0], self) ? cell.reads[0] : cell.reads[1];
      const std::uint8_t bytes = same_moment(slot, stamp) ? slot.bytes : std::uint8_t{0};
      slot = stamp;
      slot.bytes |= bytes;
      continue;
    }
    for (const Stamp& read : cell.reads) {
      if (!conflict(read, self)) continue;
      *other = read;
      return Verdict::race;
    }
    for (int byte = 0; byte < 2; ++byte) {
      if ((stamp.bytes >> byte & 1) == 0) continue;
      Stamp& write = cell.writes[byte];
      const bool plain_before = write.set() && !write.atomic && same_moment(write, stamp);
      write = stamp;
      write.bytes = static_cast<std::uint8_t>(1 << byte);
      if (plain_before) write.atomic = false;  // what others race with is its plain write
    }
  }
  const auto first = written_.begin() + static_cast<std::ptrdiff_t>(offset);
  const auto last = first + static_cast<std::ptrdiff_t>(count);
  const bool reads = kind == AccessKind::read || kind == AccessKind::atomic;
  if (reads && std::find(first, last, false) != last) return Verdict::uninitialised;
  if (!reads) std::fill(first, last, true);
  return Verdict::fine;
}

Memory& Memory::instance() {
  static auto* const memory = new Memory;  // outlives static destructors that release buffers
  return *memory;
}

void* Memory::allocate(std::size_t bytes) {
  // A gap behind every buffer, so that the next one is not what an access one too far finds.
  constexpr std::size_t kAlign = 256;
  if (bytes > SIZE_MAX / 64) throw std::bad_alloc();  // what is noted about it needs more
  const std::size_t room = (bytes + 2 * kAlign - 1) / kAlign * kAlign;
  auto* begin = static_cast<std::byte*>(std::aligned_alloc(kAlign, room));
  if (begin == nullptr) throw std::bad_alloc();
  std::memset(begin, 0xff, room);
  std::ostringstream name;
  name << "a buffer of " << bytes << " bytes";
  buffers_.emplace(begin, std::make_unique<Region>(name.str(), begin, bytes, false));
  return begin;
}

void Memory::release(void* pointer) noexcept {
  last_ = nullptr;
  buffers_.erase(static_cast<std::byte*>(pointer));
  std::free(pointer);
}

Region* Memory::find_buffer(const void* address) {
  const auto next = buffers_.upper_bound(static_cast<const std::byte*>(address));
  if (next == buffers_.begin()) return nullptr;
  Region* region = std::prev(next)->second.get();
  return region->contains(address) ? region : nullptr;
}

Region* Memory::find(const void* address) {
  if (last_ != nullptr && last_->contains(address)) return last_;
  Region* found = find_buffer(address);
  if (found == nullptr && dynamic_ && dynamic_->contains(address)) found = dynamic_.get();
  if (found == nullptr) {
    for (const auto& variable : shared_) {
      if (variable->contains(address)) found = variable.get();
    }
  }
  if (found == nullptr) {
    if (const StaticVariable* variable = static_variable_at(address)) {
      shared_.push_back(
          std::make_unique<Region>("shared variable " + variable->name, variable->begin, variable->bytes, true));
      found = shared_.back().get();
    }
  }
  if (found != nullptr) last_ = found;
  return found;
}

std::string Memory::describe(const void* address) {
  const auto* p = static_cast<const std::byte*>(address);
  const Region* best = nullptr;
  std::size_t distance = 1 << 20;
  const auto consider = [&](const Region& region) {
    const std::size_t away = p < region.begin ? static_cast<std::size_t>(region.begin - p)
                                              : static_cast<std::size_t>(p - region.begin - region.bytes + 1);
    if (away < distance) {
      distance = away;
      best = &region;
    }
  };
  for (const auto& [begin, region] : buffers_) consider(*region);
  for (const auto& region : shared_) consider(*region);
  if (dynamic_) consider(*dynamic_);
  std::ostringstream out;
  if (best == nullptr) {
    out << "memory that is no device buffer";
  } else if (p < best->begin) {
    out << (best->begin - p) << " bytes before " << best->name;
  } else {
    out << (p - best->begin - static_cast<std::ptrdiff_t>(best->bytes)) << " bytes behind " << best->name;
  }
  return out.str();
}

void* Memory::begin_block(std::size_t dynamic_shared_bytes) {
  for (const auto& variable : shared_) {
    variable->begin_round();
    variable->forget_contents();
  }
  if (!dynamic_ || dynamic_->bytes != dynamic_shared_bytes) {
    constexpr std::size_t kAlign = 256;
    last_ = nullptr;
    dynamic_storage_.assign(dynamic_shared_bytes + kAlign, std::byte{0xff});
    void* begin = dynamic_storage_.data();
    std::size_t room = dynamic_storage_.size();
    std::align(kAlign, dynamic_shared_bytes, begin, room);
    dynamic_ = dynamic_shared_bytes == 0
                   ? nullptr
                   : std::make_unique<Region>("dynamic shared memory", static_cast<std::byte*>(begin),
                                              dynamic_shared_bytes, true);
  } else if (dynamic_) {
    dynamic_->begin_round();
    dynamic_->forget_contents();
  }
  return dynamic_ ? dynamic_->begin : nullptr;
}

void* allocate(std::size_t bytes) {
  return Memory::instance().allocate(bytes);
}

void release(void* pointer) noexcept {
  if (pointer != nullptr) Memory::instance().release(pointer);
}

namespace {

/// The buffer that a copy or a fill begins in, or null; a Finding if it does not end there.
Region* buffer_of(const void* begin, std::size_t bytes, const char* what) {
  Region* region = Memory::instance().find_buffer(begin);
  if (region != nullptr && bytes > region->bytes - region->offset(begin)) {
    throw Finding(FindingKind::out_of_bounds, std::string(what) + " ends behind " + region->name);
  }
  return region;
}

}  // namespace

void copy(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  Region* target = buffer_of(to, bytes, "a copy");
  const Region* source = buffer_of(from, bytes, "a copied range");
  std::memmove(to, from, bytes);
  if (target == nullptr) return;
  if (source == nullptr) return target->mark_written(target->offset(to), bytes);
  std::vector<bool> written = target->written();
  for (std::size_t i = 0; i < bytes; ++i) written[target->offset(to) + i] = source->written()[source->offset(from) + i];
  target->set_written(std::move(written));
}

void fill_zero(void* to, std::size_t bytes) {
  if (bytes == 0) return;
  Region* target = buffer_of(to, bytes, "a fill");
  std::memset(to, 0, bytes);
  if (target != nullptr) target->mark_written(target->offset(to), bytes);
}

}  // namespace simt
