// What a call complains about.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "kernels/error.h"

namespace retort::test {

/// The message of the Error that `call` throws; fails the test when it throws nothing, or another kind.
inline std::string message_of(ErrorKind kind, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK_MESSAGE(error.kind() == kind, "kind " << error.exit_code() << ": " << error.what());
    return error.what();
  }
  FAIL_CHECK("nothing was thrown");
  return {};
}

inline void check_contains(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, "'" << text << "' does not contain '" << part << "'");
}

}  // namespace retort::test
