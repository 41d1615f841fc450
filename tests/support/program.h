// The program as a person meets it: a process of its own, an exit code, two streams of text.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace retort::test {

struct Finished {
  int code = -1;   ///< exit code; -1: ended by `signal`
  int signal = 0;
  std::string out, err;
};

class Program {
 public:
  /// Starts it. `prepare` runs in the child before the program does: limits, signals.
  explicit Program(const std::vector<std::string>& arguments, const std::function<void()>& prepare = {})
      : out_(std::tmpfile()), err_(std::tmpfile()) {
    REQUIRE(out_ != nullptr);
    REQUIRE(err_ != nullptr);
    std::vector<char*> argv{const_cast<char*>(RETORT_PROGRAM)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(::fileno(out_), 1);
      ::dup2(::fileno(err_), 2);
      ::alarm(300);  // outlives exec: nothing hangs for ever
      if (prepare) prepare();
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    REQUIRE(child_ > 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (child_ > 0) {
      send(SIGKILL);
      wait();
    }
    std::fclose(out_);
    std::fclose(err_);
  }

  void send(int signal) const { ::kill(child_, signal); }
  bool running() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }
  std::string out() const { return content(out_); }

  Finished wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    Finished finished;
    if (WIFEXITED(status)) finished.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) finished.signal = WTERMSIG(status);
    finished.out = content(out_);
    finished.err = content(err_);
    return finished;
  }

 private:
  static std::string content(std::FILE* file) {
    std::string text;
    char block[4096];
    for (ssize_t n; (n = ::pread(::fileno(file), block, sizeof block, static_cast<off_t>(text.size()))) > 0;) {
      text.append(block, static_cast<std::size_t>(n));
    }
    return text;
  }

  std::FILE *out_, *err_;
  pid_t child_ = -1;
};

/// Runs the program to its end.
inline Finished retort_program(const std::vector<std::string>& arguments, const std::function<void()>& prepare = {}) {
  return Program(arguments, prepare).wait();
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The program refused: this exit code, and one line on the error stream with all of these parts in it.
inline void check_refused(const Finished& finished, int code, const std::vector<std::string>& parts) {
  INFO("signal " << finished.signal << ", error stream: " << finished.err);
  CHECK(finished.code == code);
  CHECK(finished.err.rfind("retort: ", 0) == 0);
  const bool one_line = !finished.err.empty() && finished.err.find('\n') == finished.err.size() - 1;
  CHECK(one_line);
  for (const std::string& part : parts) CHECK_MESSAGE(contains(finished.err, part), "it does not say '" << part << "'");
}

/// The program succeeded and complained about nothing.
inline Finished check_done(const Finished& finished) {
  INFO("signal " << finished.signal << ", error stream: " << finished.err);
  CHECK(finished.code == 0);
  CHECK(finished.err.empty());
  return finished;
}

}  // namespace retort::test
