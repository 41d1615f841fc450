// Device memory as it is at one moment, to begin again from and to compare with.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/simt/memory.h"

namespace simt {

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

}  // namespace simt
