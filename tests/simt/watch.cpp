// What a running thread does to memory: whether it may, whether it races, and what it means for fences.
#include "tests/simt/watch.h"

#include <cstring>
#include <tuple>

#include "tests/simt/running.h"
#include "tests/simt/statics.h"
#include "tests/simt/traffic.h"

namespace simt {
namespace {

std::string verb_of(AccessKind kind) {
  return kind == AccessKind::read ? "reads " : kind == AccessKind::atomic ? "changes " : "writes ";
}

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
