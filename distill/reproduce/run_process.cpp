#include "distill/reproduce/run_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "distill/interrupt.h"
#include "distill/progress.h"
#include "kernels/error.h"

namespace retort {
namespace {

/// Both ends of a pipe, closed at the latest at the end.
class Pipe {
 public:
  Pipe() {
    RETORT_CHECK_AS(ErrorKind::output, ::pipe2(ends_.data(), O_CLOEXEC) == 0,
                    "cannot make a pipe: ", std::strerror(errno));
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close(std::size_t end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Text that arrives in pieces, line by line.
class Lines {
 public:
  template <typename Take>
  void add(const char* bytes, std::size_t count, Take&& take) {
    rest_.append(bytes, count);
    for (std::size_t end; (end = rest_.find('\n')) != std::string::npos; rest_.erase(0, end + 1))
      take(rest_.substr(0, end));
  }

 private:
  std::string rest_;
};

pid_t start(const std::string& program, const std::vector<std::string>& words, const Pipe& out, const Pipe& err) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const bool draws = on_terminal();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  // Its own group: Ctrl-C reaches it once, through us. When we are killed it is too, and holds no lock any more.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  ::dup2(out.write_end(), STDOUT_FILENO);
  ::dup2(err.write_end(), STDERR_FILENO);
  ::setenv(progress_variable, draws ? "on" : "off", 1);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

/// What the end of a process means; empty for a good one.
std::string problem_of(int status, const std::string& complaint) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return text("ended by signal ", signal, " (", ::strsignal(signal), signal == SIGKILL ? ": out of memory?" : "",
                ")");
  }
  const int code = WEXITSTATUS(status);
  if (code == 0) return {};
  return complaint.empty() ? text("exit code ", code) : complaint;
}

}  // namespace

ProcessEnd run_program(const std::vector<std::string>& words, const std::string& program, const LineSink& say) {
  Pipe out, err;
  const pid_t child = start(program.empty() ? "/proc/self/exe" : program, words, out, err);
  RETORT_CHECK_AS(ErrorKind::output, child > 0, "cannot start a process: ", std::strerror(errno));
  out.close(1);
  err.close(1);

  Lines lines, complaints;
  std::string complaint;
  bool passed_on = false;
  const std::string prefix = "retort: ";
  std::array<pollfd, 2> ends{{{out.read_end(), POLLIN, 0}, {err.read_end(), POLLIN, 0}}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (interrupted() && !passed_on) {
      ::kill(child, SIGTERM);
      passed_on = true;
    }
    ::poll(ends.data(), ends.size(), 200);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      std::array<char, 4096> block;
      const ssize_t n = ::read(ends[i].fd, block.data(), block.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        ends[i].fd = -1;
      } else if (i == 0) {
        lines.add(block.data(), static_cast<std::size_t>(n), say);
      } else {
        // The bar as it is; what it complains about is kept.
        if (on_terminal()) (void)!::write(STDERR_FILENO, block.data(), static_cast<std::size_t>(n));
        complaints.add(block.data(), static_cast<std::size_t>(n), [&](const std::string& line) {
          const auto begin = line.find(prefix);
          if (begin != std::string::npos) complaint = line.substr(begin + prefix.size());
        });
      }
    }
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {problem_of(status, complaint), WIFEXITED(status) && WEXITSTATUS(status) == static_cast<int>(ErrorKind::output)};
}

RunOutcome run_in_process(const RunOptions& options, const std::string& program, const LineSink& say) {
  const RunFolder folder(options.out);
  folder.write_config(options);
  const ProcessEnd end = run_program({options.command, "--resume", "--out", options.out}, program, say);
  RunOutcome outcome;
  if (const auto result = RunFolder(options.out).read_result()) outcome.result = *result;
  if (outcome.result.finished) return outcome;
  outcome.problem = end.problem;
  outcome.cannot_write = end.cannot_write;
  if (outcome.problem.empty() && !interrupted()) outcome.problem = "ended without a result";
  if (interrupted()) outcome.problem.clear();
  return outcome;
}

}  // namespace retort
