#include "tests/simt/fences.h"

#include <algorithm>

namespace simt {
namespace {

/// As `ordered` of memory.cpp, but that a fence's own thread may have gone on since.
bool before(const Stamp& access, const Fence& fence) {
  if (access.block != fence.at.block) return false;
  if (access.block_epoch < fence.at.block_epoch) return true;
  if (access.thread == fence.at.thread) return access.warp_epoch <= fence.at.warp_epoch;
  return access.thread / kWarpSize == fence.at.thread / kWarpSize &&
         access.warp_epoch <= fence.heard[access.thread % kWarpSize];
}

}  // namespace

void Behind::add(const Seen& seen) {
  for (Seen& own : seen_) {
    if (own.word != seen.word || own.begin > seen.begin || own.end < seen.begin) continue;
    own.end = std::max(own.end, seen.end);
    return;
  }
  seen_.push_back(seen);
}

void Behind::add(const Word& word) {
  if (word.begin < word.fences.size()) add(Seen{&word, word.begin, word.fences.size()});
}

void Behind::add(const Behind& other) {
  for (const Seen& seen : other.seen_) add(seen);
}

void Behind::add_behind_those() {
  const std::vector<Seen> direct = seen_;
  for (const Seen& seen : direct) {
    for (std::size_t i = seen.begin; i < seen.end; ++i) add(seen.word->fences[i]->behind);
  }
}

bool Behind::orders(const Stamp& access) const {
  return std::any_of(seen_.begin(), seen_.end(), [&](const Seen& seen) {
    const auto first = seen.word->fences.begin();
    return std::any_of(first + static_cast<std::ptrdiff_t>(seen.begin), first + static_cast<std::ptrdiff_t>(seen.end),
                       [&](const auto& fence) { return before(access, *fence); });
  });
}

void Fencing::fence(const Accessor& by) {
  read.add_behind_those();
  behind.add(read);
  read.clear();
  auto made = std::make_shared<Fence>();
  made->at = by.stamp;
  std::copy_n(by.heard, kWarpSize, made->heard);
  made->behind = behind;
  last = std::move(made);
}

}  // namespace simt
