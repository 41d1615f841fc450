#include "data/file.h"
#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{100}, std::size_t{1} << 20}) {
    fuzz::run([&] { fuzz::require(gunzip(data, size, limit, fuzz::file_name).size() <= limit, "over the limit"); });
  }
  return 0;
}
