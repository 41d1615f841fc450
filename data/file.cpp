#include "data/file.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "kernels/error.h"

namespace retort {
namespace fs = std::filesystem;

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct Inflater {
  z_stream stream{};
  Inflater(const std::string& name, int window_bits) {
    RETORT_CHECK_AS(ErrorKind::memory, inflateInit2(&stream, window_bits) == Z_OK, name, ": zlib cannot start");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
};

}  // namespace

Bytes read_bytes(const std::string& path, std::size_t limit) {
  std::error_code ignored;
  RETORT_CHECK_AS(ErrorKind::input, !fs::is_directory(path, ignored), path, ": is a folder, not a file");
  const File file(std::fopen(path.c_str(), "rb"));
  RETORT_CHECK_AS(ErrorKind::input, file, path, ": cannot open: ", std::strerror(errno));
  // Read until the end rather than trusting the size the file system reports: pipes report none.
  Bytes bytes;
  const auto expected = fs::file_size(path, ignored);
  if (!ignored && expected <= limit) bytes.reserve(static_cast<std::size_t>(expected) + 1);
  constexpr std::size_t chunk = std::size_t{1} << 20;
  for (;;) {
    const std::size_t before = bytes.size();
    const std::size_t room = std::max(bytes.capacity() - before, std::size_t{1});
    bytes.resize(before + std::min(room, chunk));
    const std::size_t got = std::fread(bytes.data() + before, 1, bytes.size() - before, file.get());
    const bool complete = before + got == bytes.size();
    bytes.resize(before + got);
    RETORT_CHECK_AS(ErrorKind::input, bytes.size() <= limit, path, ": is larger than ", limit, " bytes");
    if (complete) continue;
    RETORT_CHECK_AS(ErrorKind::input, !std::ferror(file.get()), path, ": cannot read: ", std::strerror(errno));
    return bytes;
  }
}

namespace {

/// `kind`: what the stream is, for messages.
Bytes inflated(const std::uint8_t* bytes, std::size_t size, std::size_t limit, const std::string& name, int window_bits,
               const char* kind) {
  Inflater inflater(name, window_bits);
  z_stream& stream = inflater.stream;
  Bytes out;
  std::size_t used = 0;
  for (;;) {
    if (stream.avail_in == 0 && used < size) {
      const std::size_t part = std::min<std::size_t>(size - used, std::size_t{1} << 30);
      stream.next_in = const_cast<Bytef*>(bytes + used);  // zlib does not write to it
      stream.avail_in = static_cast<uInt>(part);
      used += part;
    }
    const std::size_t before = out.size();
    // One byte over the limit is enough to know that it is exceeded.
    const std::size_t room = std::min(std::clamp<std::size_t>(before, 1U << 16, 1U << 26), limit + 1 - before);
    // A vector left to itself would double beyond the limit.
    if (before + room > out.capacity()) out.reserve(std::min(std::max(2 * before, before + room), limit + 1));
    out.resize(before + room);
    stream.next_out = out.data() + before;
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + room - stream.avail_out);
    RETORT_CHECK_AS(ErrorKind::input, out.size() <= limit, name, ": unpacks to more than ", limit, " bytes");
    if (status == Z_STREAM_END) {
      RETORT_CHECK_AS(ErrorKind::input, stream.avail_in == 0 && used == size, name,
                      ": bytes follow the end of the ", kind, " stream");
      return out;
    }
    RETORT_CHECK_AS(ErrorKind::input, status == Z_OK || status == Z_BUF_ERROR, name, ": damaged ", kind, " stream (",
                    stream.msg ? stream.msg : "zlib error", ")");
    RETORT_CHECK_AS(ErrorKind::input, stream.avail_in != 0 || used < size || stream.avail_out == 0, name,
                    ": ", kind, " stream is cut short");
  }
}

// As zlib wants them: the largest window, with a gzip wrapper and without any.
constexpr int gzip_window = 16 + 15, raw_window = -15;

}  // namespace

Bytes gunzip(const std::uint8_t* bytes, std::size_t size, std::size_t limit, const std::string& name) {
  return inflated(bytes, size, limit, name, gzip_window, "gzip");
}

Bytes inflate_raw(const std::uint8_t* bytes, std::size_t size, std::size_t limit, const std::string& name) {
  return inflated(bytes, size, limit, name, raw_window, "deflate");
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  RETORT_CHECK_AS(ErrorKind::output, !error, path, ": cannot make this folder: ", error.message());
}

std::string read_text(const std::string& path) {
  const Bytes bytes = read_bytes(path, std::size_t{1} << 30);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return lines;
  const Bytes bytes = read_bytes(path, std::size_t{1} << 20);
  std::string line;
  for (const std::uint8_t byte : bytes) {
    if (byte == '\n') {
      if (!line.empty()) lines.push_back(line);
      line.clear();
    } else if (byte != '\r') {
      line.push_back(static_cast<char>(byte));
    }
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

std::uint32_t crc32_of(const void* bytes, std::size_t size, std::uint32_t crc) {
  if (size == 0) return crc;  // zlib answers a null pointer with the initial value
  return static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(bytes), size));
}

}  // namespace retort
