// Options as TOML, and what differs between two sets of them.
#include <limits>
#include <set>
#include <sstream>

#include "distill/checked_toml.h"
#include "distill/options.h"
#include "distill/toml_text.h"
#include "kernels/error.h"

namespace retort {
namespace {

/// Writes one value as TOML.
struct Writer {
  std::ostringstream out;
  template <typename Value>
  void operator()(const char* name, const Value& value, const char*) {
    if constexpr (std::is_integral_v<Value>) {
      out << name << " = " << value << "\n";
    } else {
      out << name << " = " << toml_text(value) << "\n";
    }
  }
};

struct Reader {
  const toml::table& table;
  const std::string& file;
  std::set<std::string> known{"command"};

  [[noreturn]] void bad(const char* name, const char* wanted) const {
    fail(ErrorKind::input, text(file, ": '", name, "' must be ", wanted));
  }
  void operator()(const char* name, std::string& value, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const auto found = table[name].value_exact<std::string>();
    if (!found) bad(name, "a string");
    value = *found;
  }
  void operator()(const char* name, double& value, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const auto found = table[name].value<double>();
    if (!found) bad(name, "a number");
    value = *found;
  }
  void operator()(const char* name, std::vector<double>& values, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const toml::array* list = table[name].as_array();
    if (list == nullptr) bad(name, "a list of numbers");
    values.clear();
    for (const auto& node : *list) {
      const auto number = node.value<double>();
      if (!number) bad(name, "a list of numbers");
      values.push_back(*number);
    }
  }
  template <typename Integer>
  void operator()(const char* name, Integer& value, const char*) {
    known.insert(name);
    if (!table.contains(name)) return;
    const auto found = table[name].value_exact<std::int64_t>();
    const auto low = static_cast<std::int64_t>(std::numeric_limits<Integer>::min());
    const auto high = static_cast<std::int64_t>(std::numeric_limits<Integer>::max());
    if (!found || *found < low || *found > high) bad(name, "an integer in range");
    value = static_cast<Integer>(*found);
  }
};

/// Sets what the text sets, and nothing else.
void read_into(RunOptions& options, const std::string& content, const std::string& name) {
  toml::table table;
  try {
    table = toml::parse(content, name);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::input,
         text(name, ":", error.source().begin.line, ": ", printable(std::string(error.description()))));
  } catch (const BrokenPromise&) {
    fail(ErrorKind::input, text(name, ": this is not TOML"));
  }
  Reader reader{table, name};
  reader("command", options.command, "");
  visit_options(options, reader);
  for (const auto& [key, node] : table) {
    RETORT_CHECK_AS(ErrorKind::input, reader.known.count(std::string(key.str())) != 0, name, ":",
                    node.source().begin.line, ": unknown option '", printable(std::string(key.str())), "'");
  }
}

}  // namespace

std::string to_toml(const RunOptions& options) {
  Writer writer;
  writer("command", options.command, "");
  visit_options(options, writer);
  return writer.out.str();
}

RunOptions from_toml(const std::string& content, const std::string& name) {
  RunOptions options;
  read_into(options, content, name);
  return options;
}

void set_options(RunOptions& options, const OptionValues& values, const std::string& where) {
  for (const auto& [name, value] : values) read_into(options, text(name, " = ", value, "\n"), where);
}

bool may_change_at_resume(const std::string& option) {
  return option == "max-steps" || option == "save-every-steps" || option == "threads" || option == "graph";
}

bool same_run(const RunOptions& a, const RunOptions& b) {
  return to_toml(a) == to_toml(b);
}

std::string first_difference(const RunOptions& before, const RunOptions& now) {
  std::istringstream old_lines(to_toml(before)), new_lines(to_toml(now));
  for (std::string old_line, new_line; std::getline(old_lines, old_line) && std::getline(new_lines, new_line);) {
    if (old_line != new_line) return text(old_line, ", now ", new_line.substr(new_line.find('=') + 2));
  }
  return {};
}

}  // namespace retort
