// "key=value,key=value": the options of the built-in sets.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <vector>

#include "kernels/error.h"

namespace retort {

struct KeyValue {
  std::string set;         ///< whose option it is, for messages
  std::string item;        ///< as written
  std::string key, value;  ///< no value without "="

  /// Error(usage) unless the value is a number in [low, high].
  template <typename Number>
  Number number(Number low, Number high) const {
    Number parsed{};
    const char* last = value.data() + value.size();
    const auto [end, error] = std::from_chars(value.data(), last, parsed);
    RETORT_CHECK(error == std::errc() && end == last && parsed >= low && parsed <= high, set, ": ", key, "=", value,
                 " is not a number from ", low, " to ", high);
    return parsed;
  }
  /// Error(usage): the set has no such option, only the `known` ones.
  [[noreturn]] void refuse(const std::string& known) const {
    fail(ErrorKind::usage, set + ": unknown option '" + item + "'; known: " + known);
  }
};

inline std::vector<KeyValue> key_values(const std::string& set, const std::string& text) {
  std::vector<KeyValue> found;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equals = item.find('=');
    found.push_back({set, item, item.substr(0, equals), equals == std::string::npos ? "" : item.substr(equals + 1)});
  }
  return found;
}

}  // namespace retort
