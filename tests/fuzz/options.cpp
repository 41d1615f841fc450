#include "distill/options.h"

#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  return fuzz::run([&] {
    const RunOptions options = from_toml(content, fuzz::file_name);
    fuzz::require(same_run(options, from_toml(to_toml(options), fuzz::file_name)), "written and read again");
  });
}
