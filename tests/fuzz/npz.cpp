#include "data/npz.h"

#include <algorithm>

#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] {
    // The name of the seed's array.
    for (const auto& [name, array] : parse_npz(data, size, {"a"}, std::size_t{1} << 24, fuzz::file_name)) {
      // Beside a 0, the product of the other extents could overflow.
      std::int64_t count = std::count(array.shape.begin(), array.shape.end(), 0) > 0 ? 0 : 1;
      for (const std::int64_t extent : array.shape) count = count == 0 ? 0 : count * extent;
      fuzz::require(array.count() == count && array.floats().size() == static_cast<std::size_t>(count),
                    "shape and values");
    }
  });
}
