#include "tests/simt/copies.h"

namespace simt {

void Copies::commit() {
  groups_.push_back(std::move(open_));  // a group may be empty
  open_.clear();
}

std::vector<Copies::Copy> Copies::take(int pending) {
  std::vector<Copy> taken;
  while (groups_.size() > static_cast<std::size_t>(pending)) {
    taken.insert(taken.end(), groups_.front().begin(), groups_.front().end());
    groups_.erase(groups_.begin());
  }
  return taken;
}

}  // namespace simt
