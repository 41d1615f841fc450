#include "engine/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kernels/error.h"

namespace retort {
namespace {

[[noreturn]] void fail_writing(const std::string& path, int reason) {
  fail(ErrorKind::output, text("cannot write ", path, ": ", std::strerror(reason)));
}

/// A file descriptor; close() reports what the destructor swallows.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  bool close() {
    if (number_ < 0) return true;
    const int result = ::close(number_);
    number_ = -1;
    return result == 0 || errno == EINTR;  // Linux has closed it all the same
  }

 private:
  int number_;
};

bool write_all(int file, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = ::write(file, data, bytes);
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
  return true;
}

bool sync(int file) {
  while (::fsync(file) != 0) {
    if (errno == EINTR) continue;
    return errno == EINVAL || errno == ENOTSUP;  // a file system that has nothing to sync
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void write_file_atomically(const std::string& path, const void* data, std::size_t bytes, Durability durability) {
  const bool synced = durability == Durability::synced;
  const std::string temporary = path + ".tmp";
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number() < 0) fail_writing(path, errno);
  // Some file systems report a full disk only at fsync or close.
  const bool complete = write_all(file.number(), static_cast<const char*>(data), bytes) &&
                        (!synced || sync(file.number())) && file.close();
  if (!complete || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    fail_writing(path, reason);
  }
  if (!synced) return;
  // A folder that may not be read cannot be synced; the file is whole all the same.
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() >= 0 && !sync(folder.number())) fail_writing(path, errno);
}

void write_file_atomically(const std::string& path, const std::string& text) {
  write_file_atomically(path, text.data(), text.size());
}

void append_to_file(const std::string& path, const std::string& text) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file.number() < 0 || !write_all(file.number(), text.data(), text.size()) || !file.close()) fail_writing(path, errno);
}

}  // namespace retort
