// Non-negative integers in the lines of a CSV file.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>

namespace retort {

/// One that fills `field`; nothing else may stand there.
inline bool parse_count(const std::string& field, std::int32_t& value) {
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  return error == std::errc() && stop == end && value >= 0;
}

/// As many as `row` has, with a comma between them.
template <std::size_t N>
bool parse_counts(const std::string& line, std::array<std::int32_t, N>& row) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t end = i + 1 < N ? line.find(',', begin) : line.size();
    if (end == std::string::npos || !parse_count(line.substr(begin, end - begin), row[i])) return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace retort
