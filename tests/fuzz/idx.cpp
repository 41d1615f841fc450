#include "data/idx.h"

#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] {
    const IdxArray array = parse_idx(data, size, fuzz::file_name);
    std::size_t count = 1;
    for (const int extent : array.shape) count *= static_cast<std::size_t>(extent);
    fuzz::require(!array.shape.empty() && array.shape.size() <= 4 && array.values.size() == count, "shape and values");
  });
}
