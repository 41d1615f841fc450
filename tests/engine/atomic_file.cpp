#include "engine/atomic_file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/engine/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace retort::test {
namespace {

/// Runs `body` in a child process, whose limits may then be changed; its message and kind come back through a pipe.
std::string error_in_child(const std::function<void()>& body) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string report = "nothing was thrown";
    try {
      body();
    } catch (const Error& error) {
      report = std::to_string(error.exit_code()) + " " + error.what();
    }
    const ssize_t written = ::write(ends[1], report.data(), report.size());
    ::_exit(written == static_cast<ssize_t>(report.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string report(4096, '\0');
  std::size_t size = 0;
  for (ssize_t got; (got = ::read(ends[0], report.data() + size, report.size() - size)) > 0;) {
    size += static_cast<std::size_t>(got);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  report.resize(size);
  return report;
}

}  // namespace

TEST_CASE("atomic_file: a new file has the content, and so has a file that was there") {
  const TemporaryFolder folder;
  const std::string binary("a\0b\n", 4);
  write_file_atomically(folder / "file", binary);
  CHECK(contents(folder / "file") == binary);
  const std::string large(3'000'000, 'x');
  write_file_atomically(folder / "file", large);
  CHECK(contents(folder / "file") == large);
  write_file_atomically(folder / "file", "", 0);
  CHECK(contents(folder / "file").empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("atomic_file: readers see the old file or the new one, never half of one") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "old");
  std::ifstream before(folder / "file");
  write_file_atomically(folder / "file", "new content");
  // The file that is open is still the old one: it was replaced, not written over.
  std::string word;
  before >> word;
  CHECK(word == "old");
  CHECK(contents(folder / "file") == "new content");
}

TEST_CASE("atomic_file: a disk that fills up leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  write_file_atomically(path, "old");
  // A limit on file sizes fails a write half way, as a full disk does, and works for root.
  const std::string report = error_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10'000, 10'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return;
    write_file_atomically(path, std::string(50'000, 'x'));
  });
  CHECK(report == text(static_cast<int>(ErrorKind::output), " cannot write ", path, ": File too large"));
  CHECK(contents(path) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("atomic_file: a folder that is missing, or is a file, is named with the reason") {
  const TemporaryFolder folder;
  const std::string missing = folder / "none/file";
  CHECK(message_of(ErrorKind::output, [&] { write_file_atomically(missing, "x"); }) ==
        "cannot write " + missing + ": No such file or directory");
  write_file_atomically(folder / "file", "old");
  const std::string inside = folder / "file/inside";
  CHECK(message_of(ErrorKind::output, [&] { write_file_atomically(inside, "x"); }) ==
        "cannot write " + inside + ": Not a directory");
}

TEST_CASE("atomic_file: a path that is a folder is refused and the temporary file removed") {
  const TemporaryFolder folder;
  ::mkdir((folder / "sub").c_str(), 0777);
  check_contains(message_of(ErrorKind::output, [&] { write_file_atomically(folder / "sub", "x"); }), "directory");
  CHECK(folder.entries() == 1);
}

TEST_CASE("atomic_file: a folder without permission is refused") {
  if (::geteuid() == 0) {
    MESSAGE("root may write everywhere: skipped");
    return;
  }
  const TemporaryFolder folder;
  ::mkdir((folder / "closed").c_str(), 0555);
  check_contains(message_of(ErrorKind::output, [&] { write_file_atomically(folder / "closed/file", "x"); }), "denied");
}

TEST_CASE("atomic_file: a relative path works") {
  const TemporaryFolder folder;
  const std::string before = std::filesystem::current_path().string();
  std::filesystem::current_path(folder / "");
  write_file_atomically("relative", "x");
  std::filesystem::current_path(before);
  CHECK(contents(folder / "relative") == "x");
}

}  // namespace retort::test
