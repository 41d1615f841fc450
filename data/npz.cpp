#include "data/npz.h"

#include <algorithm>
#include <cstring>

#include "data/npy_header.h"
#include "kernels/error.h"

namespace retort {
namespace {

/// Little-endian numbers at places that are checked.
class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size, const std::string& name) : data_(data), size_(size), name_(name) {}

  const std::uint8_t* at(std::size_t offset, std::size_t count) const {
    RETORT_CHECK_AS(ErrorKind::input, offset <= size_ && count <= size_ - offset, name_, ": cut short or damaged");
    return data_ + offset;
  }
  std::uint32_t u16(std::size_t offset) const {
    return at(offset, 2)[0] | static_cast<std::uint32_t>(data_[offset + 1]) << 8;
  }
  std::uint32_t u32(std::size_t offset) const { return u16(offset) | u16(offset + 2) << 16; }
  std::size_t size() const { return size_; }
  [[noreturn]] void refuse(const std::string& why) const { fail(ErrorKind::input, name_ + ": " + why); }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  const std::string& name_;
};

// ZIP (PKWARE's APPNOTE): the end of the central directory says where that is, its entries where the files are.
constexpr std::uint32_t kEnd = 0x06054b50, kEntry = 0x02014b50, kLocal = 0x04034b50;
constexpr std::uint32_t kZip64 = 0xffffffff, kZip64Count = 0xffff;  // in place of what a ZIP64 record has
constexpr std::size_t kEndBytes = 22, kEntryBytes = 46, kLocalBytes = 30, kLongestComment = 65535;

std::size_t end_of_directory(const Reader& zip) {
  if (zip.size() < kEndBytes) zip.refuse("not an .npz file");
  const std::size_t last = zip.size() - kEndBytes, first = last - std::min(last, kLongestComment);
  for (std::size_t at = last + 1; at-- > first;) {
    if (zip.u32(at) == kEnd) return at;
  }
  zip.refuse("not an .npz file");
}

struct Packed {
  std::string name;
  bool encrypted = false;
  std::uint32_t method = 0, crc = 0;
  std::size_t bytes = 0, unpacked = 0, offset = 0;
};

[[noreturn]] void refuse_zip64(const Reader& zip) {
  zip.refuse("ZIP64, for more than 4 GiB or 65,534 files, is not read");
}

std::vector<Packed> directory(const Reader& zip) {
  const std::size_t end = end_of_directory(zip);
  const std::uint32_t count = zip.u16(end + 10);
  std::size_t at = zip.u32(end + 16);
  if (count == kZip64Count || at == kZip64) refuse_zip64(zip);
  std::vector<Packed> files;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (zip.u32(at) != kEntry) zip.refuse("damaged directory");
    const std::size_t name_bytes = zip.u16(at + 28);
    Packed file;
    file.encrypted = (zip.u16(at + 8) & 1U) != 0;
    file.method = zip.u16(at + 10);
    file.crc = zip.u32(at + 16);
    file.bytes = zip.u32(at + 20);
    file.unpacked = zip.u32(at + 24);
    file.offset = zip.u32(at + 42);
    if (file.bytes == kZip64 || file.unpacked == kZip64 || file.offset == kZip64) refuse_zip64(zip);
    file.name.assign(reinterpret_cast<const char*>(zip.at(at + kEntryBytes, name_bytes)), name_bytes);
    at += kEntryBytes + name_bytes + zip.u16(at + 30) + zip.u16(at + 32);
    files.push_back(std::move(file));
  }
  return files;
}

/// The files of the arrays with these names. Nothing is unpacked before all of them together claim to fit.
std::map<std::string, Packed> chosen(const Reader& zip, const std::vector<std::string>& names, std::size_t limit) {
  std::map<std::string, Packed> files;
  std::size_t sum = 0;  // of fewer than 2^16 numbers below 2^32
  for (Packed& file : directory(zip)) {
    const auto is_its = [&](const std::string& name) { return file.name == name + ".npy"; };
    const auto wanted = std::find_if(names.begin(), names.end(), is_its);
    if (wanted == names.end()) continue;
    sum += file.unpacked;
    if (!files.emplace(*wanted, std::move(file)).second) zip.refuse("'" + *wanted + "' is there twice");
  }
  if (sum > limit) zip.refuse(text("unpacks to ", sum, " bytes, more than ", limit));
  return files;
}

Bytes unpack(const Reader& zip, const Packed& file, const std::string& name) {
  RETORT_CHECK_AS(ErrorKind::input, !file.encrypted, name, ": encrypted");
  if (zip.u32(file.offset) != kLocal) zip.refuse("damaged directory");
  const std::size_t begin = file.offset + kLocalBytes + zip.u16(file.offset + 26) + zip.u16(file.offset + 28);
  const std::uint8_t* bytes = zip.at(begin, file.bytes);
  Bytes out;
  if (file.method == 0) {
    RETORT_CHECK_AS(ErrorKind::input, file.bytes == file.unpacked, name, ": damaged");
    out.assign(bytes, bytes + file.bytes);
  } else if (file.method == 8) {
    out = inflate_raw(bytes, file.bytes, file.unpacked, name);
  } else {
    zip.refuse(text("compression method ", file.method, ", only 0 and 8 are read"));
  }
  RETORT_CHECK_AS(ErrorKind::input, out.size() == file.unpacked && crc32_of(out.data(), out.size()) == file.crc, name,
                  ": damaged");
  return out;
}

std::size_t size_of(NpyArray::Type type) {
  switch (type) {
    case NpyArray::Type::u8:
      return 1;
    case NpyArray::Type::f64:
    case NpyArray::Type::i64:
      return 8;
    default:
      return 4;
  }
}

NpyArray parse_npy(Bytes file, const std::string& name) {
  const Reader npy(file.data(), file.size(), name);
  constexpr std::uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (std::memcmp(npy.at(0, 8), magic, sizeof magic) != 0) npy.refuse("not a .npy file");
  const std::size_t length_bytes = file[6] == 1 ? 2 : 4;
  const std::size_t length = length_bytes == 2 ? npy.u16(8) : npy.u32(8), begin = 8 + length_bytes;
  const char* header = reinterpret_cast<const char*>(npy.at(begin, length));
  NpyArray array = NpyHeader(std::string(header, length), name).parse();
  const std::size_t bytes = file.size() - begin - length;
  std::size_t expected = size_of(array.type);
  if (std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end()) expected = 0;
  for (const std::int64_t extent : array.shape) {
    if (expected == 0) break;
    expected =
        expected > bytes / static_cast<std::size_t>(extent) ? bytes + 1 : expected * static_cast<std::size_t>(extent);
    if (expected > bytes) break;  // it could overflow
  }
  if (expected != bytes) npy.refuse("its size is not that of its shape");
  file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(begin + length));
  array.bytes = std::move(file);
  return array;
}

template <typename From>
std::vector<float> converted(const Bytes& bytes) {
  std::vector<float> out(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    out[i] = static_cast<float>(value);
  }
  return out;
}

}  // namespace

std::int64_t NpyArray::count() const {
  return static_cast<std::int64_t>(bytes.size() / size_of(type));
}

std::vector<float> NpyArray::floats() const {
  switch (type) {
    case Type::f32:
      return converted<float>(bytes);
    case Type::f64:
      return converted<double>(bytes);
    case Type::u8:
      return converted<std::uint8_t>(bytes);
    case Type::i32:
      return converted<std::int32_t>(bytes);
    case Type::i64:
      return converted<std::int64_t>(bytes);
  }
  return {};
}

std::map<std::string, NpyArray> parse_npz(const std::uint8_t* data, std::size_t size,
                                          const std::vector<std::string>& names, std::size_t limit,
                                          const std::string& name) {
  const Reader zip(data, size, name);
  std::map<std::string, NpyArray> arrays;
  for (const auto& [key, file] : chosen(zip, names, limit)) {
    const std::string who = name + ": '" + key + "'";
    arrays.emplace(key, parse_npy(unpack(zip, file, who), who));
  }
  return arrays;
}

std::map<std::string, NpyArray> read_npz(const std::string& path, const std::vector<std::string>& names,
                                         std::size_t limit) {
  const Bytes bytes = read_bytes(path, limit);
  return parse_npz(bytes.data(), bytes.size(), names, limit, path);
}

}  // namespace retort
