// The copies that a thread has begun and not yet waited for.
#pragma once

#include <cstddef>
#include <vector>

namespace simt {

class Copies {
 public:
  struct Copy {
    void* to;
    const void* from;
    std::size_t bytes, from_bytes;
    const void* site;
  };

  void begin(const Copy& copy) { open_.push_back(copy); }
  void commit();
  /// The copies of all groups but the `pending` last; they are no longer kept here.
  std::vector<Copy> take(int pending);

 private:
  std::vector<Copy> open_;
  std::vector<std::vector<Copy>> groups_;
};

}  // namespace simt
