// What every fuzz target asks of its parser: a result that holds together, or Error(input) in one line that names the
// file. Crashes, leaks and undefined behaviour are the sanitizers' business.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kernels/error.h"

namespace retort::fuzz {

constexpr const char* file_name = "fuzzed-file";

inline void require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}

/// Anything else it throws ends the run. A control character of the file in a message could end the line or reach the
/// reader's terminal.
template <typename Parse>
int run(const Parse& parse) {
  try {
    parse();
  } catch (const Error& error) {
    const std::string message = error.what();
    require(error.kind() == ErrorKind::input, "not an input error: " + message);
    require(message.rfind(file_name, 0) == 0, "does not begin with the name of the file: " + message);
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    require(std::none_of(message.begin(), message.end(), is_control), "not one printable line: " + message);
  }
  return 0;
}

}  // namespace retort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
