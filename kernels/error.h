// One exception type. Its kind is the program's exit code; its text is the one line a person sees.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace retort {

/// The exit codes of the program (docs/architecture.md).
enum class ErrorKind : int { internal = 1, usage = 2, input = 3, memory = 4, device = 5, diverged = 6, output = 7 };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, std::string where = {})
      : std::runtime_error(message), kind_(kind), where_(std::move(where)) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }
  /// "file:line: expression" of the failed check; empty for plain messages.
  const std::string& where() const { return where_; }

 private:
  ErrorKind kind_;
  std::string where_;
};

/// Concatenates anything that can be streamed.
template <typename... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Words of a file as a message may show them: without control characters, which would break its one line or reach the
/// terminal, and not at any length.
inline std::string printable(const std::string& words) {
  std::string out;
  for (const char c : words.substr(0, 200)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return words.size() > 200 ? out + "..." : out;
}

[[noreturn]] inline void fail(ErrorKind kind, const std::string& message) {
  throw Error(kind, message);
}

}  // namespace retort

#define RETORT_CHECK_STRING2(x) #x
#define RETORT_CHECK_STRING(x) RETORT_CHECK_STRING2(x)

/// Throws Error(kind) with the message built from the remaining arguments unless the condition holds.
#define RETORT_CHECK_AS(kind, condition, ...)                                            \
  do {                                                                                   \
    if (!(condition))                                                                    \
      throw ::retort::Error((kind), ::retort::text(__VA_ARGS__),                         \
                            __FILE__ ":" RETORT_CHECK_STRING(__LINE__) ": " #condition); \
  } while (false)

/// A precondition on arguments: shapes, dtypes, options. The message should print the offending values.
#define RETORT_CHECK(condition, ...) RETORT_CHECK_AS(::retort::ErrorKind::usage, condition, __VA_ARGS__)
