// Values of a TOML file by kind, with messages that name the file and the line. Include it first: it has toml++.
#pragma once

#include "distill/checked_toml.h"
// Before everything else that includes toml++.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/error.h"

namespace retort {

class TomlReader {
 public:
  explicit TomlReader(std::string file) : file_(std::move(file)) {}

  /// Throws Error(input), as everything here.
  toml::table parse(const std::string& content) const {
    try {
      return toml::parse(content, file_);
    } catch (const toml::parse_error& error) {
      fail(ErrorKind::input,
           text(file_, ":", error.source().begin.line, ": ", printable(std::string(error.description()))));
    } catch (const BrokenPromise&) {
      fail(ErrorKind::input, text(file_, ": this is not TOML"));
    }
  }

  /// "FILE:LINE".
  std::string where(const toml::node& node) const {
    const auto line = node.source().begin.line;
    return line > 0 ? text(file_, ":", line) : file_;
  }
  [[noreturn]] void bad(const toml::node& node, std::string_view key, const std::string& wanted) const {
    fail(ErrorKind::input, text(where(node), ": '", printable(std::string(key)), "' must be ", wanted));
  }
  [[noreturn]] void unknown(const toml::node& node, std::string_view key, const std::string& known) const {
    fail(ErrorKind::input, text(where(node), ": unknown key '", printable(std::string(key)), "' (known: ", known, ")"));
  }

  std::string string(const toml::node& node, std::string_view key) const {
    const auto found = node.value_exact<std::string>();
    if (!found) bad(node, key, "a string");
    return *found;
  }
  double number(const toml::node& node, std::string_view key) const {
    const auto found = node.value<double>();
    if (!found) bad(node, key, "a number");
    return *found;
  }
  bool flag(const toml::node& node, std::string_view key) const {
    const auto found = node.value_exact<bool>();
    if (!found) bad(node, key, "true or false");
    return *found;
  }
  int count(const toml::node& node, std::string_view key, int low, int high) const {
    const auto found = node.value_exact<std::int64_t>();
    if (!found || *found < low || *found > high) bad(node, key, text("an integer from ", low, " to ", high));
    return static_cast<int>(*found);
  }
  const toml::table& table(const toml::node& node, std::string_view key) const {
    const toml::table* found = node.as_table();
    if (found == nullptr) bad(node, key, "a table");
    return *found;
  }
  const toml::array& list(const toml::node& node, std::string_view key) const {
    const toml::array* found = node.as_array();
    if (found == nullptr) bad(node, key, "a list");
    return *found;
  }
  std::vector<std::string> strings(const toml::node& node, std::string_view key) const {
    std::vector<std::string> values;
    for (const toml::node& item : list(node, key)) values.push_back(string(item, key));
    return values;
  }
  std::vector<double> numbers(const toml::node& node, std::string_view key) const {
    std::vector<double> values;
    for (const toml::node& item : list(node, key)) values.push_back(number(item, key));
    return values;
  }

 private:
  std::string file_;
};

}  // namespace retort
