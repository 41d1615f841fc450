// Values as TOML writes them, on one line. toml++ does not always: a string that begins with a line break loses it, and
// for a list it guesses the width by conversions that are undefined for small and infinite numbers.
#pragma once

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "distill/checked_toml.h"

namespace retort {

/// The fewest digits that read back as the same number; TOML tells floats from integers by a dot or an exponent.
inline std::string toml_text(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string out(digits.data(), end);
  return out.find_first_of(".en") == std::string::npos ? out + ".0" : out;
}

/// A basic string.
inline std::string toml_text(const std::string& value) {
  constexpr const char* digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if ((c >= 0 && c < 0x20) || c == 0x7f) {
      out += {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <typename Value>
std::string toml_text(const std::vector<Value>& values) {
  std::string list;
  for (const Value& value : values) list += (list.empty() ? "" : ", ") + toml_text(value);
  return '[' + list + ']';
}

/// A string, a number, a truth value or a list of them; empty for anything else.
inline std::string toml_text(const toml::node& node) {
  if (const auto* string = node.as_string()) return toml_text(string->get());
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* number = node.as_floating_point()) return toml_text(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  if (!node.is_array()) return {};
  std::string list;
  for (const toml::node& item : *node.as_array()) {
    const std::string written = toml_text(item);
    if (written.empty()) return {};
    list += (list.empty() ? "" : ", ") + written;
  }
  return '[' + list + ']';
}

}  // namespace retort
