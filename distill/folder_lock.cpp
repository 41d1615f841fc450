#include "distill/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "kernels/error.h"

namespace retort {
namespace {

std::string who_we_are() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 32> time{};
  std::strftime(time.data(), time.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text("process ", ::getpid(), " on ", host.data(), " since ", time.data());
}

std::string content_of(int file) {
  std::array<char, 512> block{};
  const ssize_t n = ::pread(file, block.data(), block.size() - 1, 0);
  return n > 0 ? printable(std::string(block.data(), static_cast<std::size_t>(n))) : "another process";
}

/// The file is still the one under this name: its last owner removes it.
bool is_current(int file, const std::string& path) {
  struct stat here {
  }, there{};
  return ::fstat(file, &here) == 0 && ::stat(path.c_str(), &there) == 0 && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder) : path_(folder + "/lock") {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  RETORT_CHECK_AS(ErrorKind::output, std::filesystem::is_directory(folder), "cannot make folder ", folder, ": ",
                  error.message());
  for (;;) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    RETORT_CHECK_AS(ErrorKind::output, file_ >= 0, "cannot write ", path_, ": ", std::strerror(errno));
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      const int why = errno;
      const std::string owner = content_of(file_);
      ::close(file_);
      if (why == EINTR) continue;
      // A file system without locks is no reason not to train.
      if (why != EWOULDBLOCK) {
        file_ = -1;
        return;
      }
      fail(ErrorKind::output, text(folder, " is in use by ", owner, "; wait for it, stop it, or give another --out"));
    }
    if (is_current(file_, path_)) break;
    ::close(file_);
  }
  const std::string me = who_we_are();
  if (::ftruncate(file_, 0) == 0)
    (void)!::pwrite(file_, me.data(), me.size(), 0);  // a courtesy: the lock holds without it
}

FolderLock::~FolderLock() {
  if (file_ < 0) return;
  ::unlink(path_.c_str());
  ::close(file_);
}

}  // namespace retort
