#include "engine/safetensors.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "engine/atomic_file.h"
#include "kernels/error.h"
#include "kernels/types.h"

namespace retort {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr std::uint64_t max_header = 100'000'000;

struct DTypeInfo {
  FileDType dtype;
  const char* name;
  std::uint64_t size;
};
constexpr std::array<DTypeInfo, 10> dtypes{{{FileDType::f32, "F32", 4},
                                            {FileDType::f64, "F64", 8},
                                            {FileDType::f16, "F16", 2},
                                            {FileDType::bf16, "BF16", 2},
                                            {FileDType::i64, "I64", 8},
                                            {FileDType::i32, "I32", 4},
                                            {FileDType::i16, "I16", 2},
                                            {FileDType::i8, "I8", 1},
                                            {FileDType::u8, "U8", 1},
                                            {FileDType::boolean, "BOOL", 1}}};

const DTypeInfo& info(FileDType dtype) {
  for (const DTypeInfo& entry : dtypes) {
    if (entry.dtype == dtype) return entry;
  }
  fail(ErrorKind::internal, "unknown file dtype");
}

std::string in_quotes(const std::string& name) { return "'" + printable(name) + "'"; }

/// What the header says about one tensor.
struct Entry {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;
  std::set<std::string> fields;
};

/// Walks the header as the parser reads it: refuses every structure but the one of the format, so that nothing is
/// built that was not asked for. Depth: 1 the header, 2 a tensor or the metadata, 3 an array of numbers.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string error;

  bool start_object(std::size_t) override {
    if (array_ != nullptr) return refuse("an object where a number is expected");
    if (depth_ == 2) return refuse(text("an object in ", where()));
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    if (depth_ == 1 && entry_ != nullptr) {
      if (entry_->fields.size() != 3) return refuse(text(where(), " lacks dtype, shape or data_offsets"));
      if (entry_->offsets.size() != 2) return refuse(text(where(), ": data_offsets are not two numbers"));
    }
    if (depth_ == 1) entry_ = nullptr;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) return start_entry(name);
    field_ = name;
    if (entry_ == nullptr) {
      if (metadata.count(name) != 0) return refuse(text("duplicate key ", in_quotes(name), " in __metadata__"));
      return true;
    }
    if (name != "dtype" && name != "shape" && name != "data_offsets") {
      return refuse(text(where(), ": unknown field ", in_quotes(name)));
    }
    if (!entry_->fields.insert(name).second) return refuse(text(where(), ": duplicate key ", in_quotes(name)));
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || array_ != nullptr || entry_ == nullptr || field_ == "dtype") return refuse("a misplaced array");
    array_ = field_ == "shape" ? &entry_->shape : &entry_->offsets;
    return true;
  }
  bool end_array() override {
    array_ = nullptr;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (array_ == nullptr) return refuse("a misplaced number");
    array_->push_back(value);
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ == 2 && entry_ == nullptr) {
      metadata[field_] = value;
      return true;
    }
    if (depth_ != 2 || array_ != nullptr || field_ != "dtype") return refuse("a misplaced string");
    entry_->dtype = value;
    return true;
  }
  bool number_integer(number_integer_t) override { return refuse("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return refuse("a number that is not an integer"); }
  bool null() override { return refuse("a misplaced null"); }
  bool boolean(bool) override { return refuse("a misplaced boolean"); }
  bool binary(binary_t&) override { return refuse("a misplaced binary value"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse(text("not JSON at byte ", position));
  }

 private:
  bool refuse(const std::string& reason) {
    if (error.empty()) error = reason;
    return false;
  }
  std::string where() const { return entry_ == nullptr ? "__metadata__" : text("tensor ", in_quotes(name_)); }
  bool start_entry(const std::string& name) {
    const bool is_metadata = name == "__metadata__";
    const bool fresh = is_metadata ? !std::exchange(has_metadata_, true) : entries.count(name) == 0;
    if (!fresh) return refuse(text("duplicate name ", in_quotes(name)));
    name_ = name;
    entry_ = is_metadata ? nullptr : &entries[name];
    return true;
  }

  int depth_ = 0;
  std::string name_, field_;
  Entry* entry_ = nullptr;
  std::vector<std::uint64_t>* array_ = nullptr;
  bool has_metadata_ = false;
};

/// A validated tensor of a file: where its bytes are, counted from the end of the header.
struct Placed {
  std::string name;
  FileDType dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;
};

struct Header {
  std::vector<Placed> tensors;  // in the order of the data, without holes
  std::map<std::string, std::string> metadata;
};

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  fail(ErrorKind::input, text(path, ": ", reason));
}

Placed place(const std::string& path, const std::string& name, const Entry& entry) {
  const auto known = std::find_if(dtypes.begin(), dtypes.end(), [&](const auto& d) { return d.name == entry.dtype; });
  if (known == dtypes.end()) refuse(path, text("tensor ", in_quotes(name), ": unknown dtype ", in_quotes(entry.dtype)));
  Placed placed{name, known->dtype, {}, entry.offsets[0], entry.offsets[1]};
  std::uint64_t bytes = known->size;
  bool empty = false;
  for (const std::uint64_t extent : entry.shape) {
    empty = empty || extent == 0;
    const bool overflow = extent != 0 && __builtin_mul_overflow(bytes, extent, &bytes);
    if (overflow || bytes > std::numeric_limits<std::int64_t>::max()) {
      refuse(path, text("tensor ", in_quotes(name), ": the shape overflows"));
    }
    placed.shape.push_back(static_cast<std::int64_t>(extent));
  }
  if (empty) bytes = 0;
  if (placed.end < placed.begin || placed.end - placed.begin != bytes) {
    refuse(path,
           text("tensor ", in_quotes(name), ": offsets ", placed.begin, " to ", placed.end, " for ", bytes, " bytes"));
  }
  return placed;
}

/// Checks everything there is to check; `data_bytes` is what follows the header in the file.
Header read_header(const std::string& path, const std::uint8_t* text_begin, std::size_t size,
                   std::uint64_t data_bytes) {
  if (size == 0 || text_begin[0] != '{') refuse(path, "the header is not a JSON object");
  if (std::memchr(text_begin, 0, size) != nullptr) refuse(path, "the header has a zero byte");  // ends nlohmann's input
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(text_begin, text_begin + size, &reader)) refuse(path, text("header: ", reader.error));

  Header header;
  header.metadata = std::move(reader.metadata);
  for (const auto& [name, entry] : reader.entries) header.tensors.push_back(place(path, name, entry));
  std::stable_sort(header.tensors.begin(), header.tensors.end(), [](const Placed& a, const Placed& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t position = 0;
  for (const Placed& tensor : header.tensors) {
    if (tensor.begin != position) {
      refuse(path,
             text("tensor ", in_quotes(tensor.name), tensor.begin > position ? " leaves a hole" : " overlaps another",
                  ": begins at ", tensor.begin, ", expected ", position));
    }
    position = tensor.end;
  }
  if (position != data_bytes)
    refuse(path, text("the header describes ", position, " bytes of data, the file has ", data_bytes));
  return header;
}

/// Length of the header, checked against the size of the file.
std::size_t header_length(const std::string& path, const std::uint8_t* data, std::uint64_t file_bytes) {
  if (file_bytes < 8) refuse(path, text("not a safetensors file: ", file_bytes, " bytes"));
  std::uint64_t length;
  std::memcpy(&length, data, sizeof length);
  if (length > max_header) refuse(path, text("the header claims ", length, " bytes, more than ", max_header));
  if (length > file_bytes - 8) refuse(path, text("the header claims ", length, " bytes, the file has ", file_bytes));
  return static_cast<std::size_t>(length);
}

/// Builds the result; fill(to, begin, bytes) copies data.
template <typename Fill>
TensorFile load(Header header, const Fill& fill) {
  TensorFile file;
  file.metadata = std::move(header.metadata);
  for (Placed& placed : header.tensors) {
    FileTensor& tensor = file.tensors[placed.name];
    tensor.dtype = placed.dtype;
    tensor.shape = std::move(placed.shape);
    tensor.bytes.resize(static_cast<std::size_t>(placed.end - placed.begin));
    if (!tensor.bytes.empty()) fill(tensor.bytes.data(), placed.begin, tensor.bytes.size());
  }
  return file;
}

}  // namespace

const FileTensor& TensorFile::at(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) fail(ErrorKind::input, text("the file has no tensor ", in_quotes(name)));
  return found->second;
}

TensorFile parse_safetensors(const std::uint8_t* data, std::size_t size, const std::string& name) {
  const std::size_t length = header_length(name, data, size);
  const std::uint8_t* body = data + 8 + length;
  return load(
      read_header(name, data + 8, length, size - 8 - length),
      [body](std::uint8_t* to, std::uint64_t begin, std::size_t bytes) { std::memcpy(to, body + begin, bytes); });
}

TensorFile read_safetensors(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) fail(ErrorKind::input, text("cannot read ", path, ": ", std::strerror(errno)));
  struct stat status {};
  if (::fstat(::fileno(file.get()), &status) != 0 || !S_ISREG(status.st_mode)) refuse(path, "not a regular file");
  const auto file_bytes = static_cast<std::uint64_t>(status.st_size);
  const auto read = [&](std::uint8_t* to, std::size_t bytes) {
    if (std::fread(to, 1, bytes, file.get()) == bytes) return;
    refuse(path, std::ferror(file.get()) ? "cannot be read" : "ends early");
  };
  std::array<std::uint8_t, 8> prefix{};
  if (file_bytes >= prefix.size()) read(prefix.data(), prefix.size());
  std::vector<std::uint8_t> header(header_length(path, prefix.data(), file_bytes));
  read(header.data(), header.size());
  // Tensors come in the order of the data and without holes: reading on is enough.
  return load(read_header(path, header.data(), header.size(), file_bytes - 8 - header.size()),
              [&](std::uint8_t* to, std::uint64_t, std::size_t bytes) { read(to, bytes); });
}

std::vector<std::uint8_t> serialize_safetensors(const TensorFile& file) {
  const auto quote = [](const std::string& value) {
    try {
      return nlohmann::json(value).dump();
    } catch (const nlohmann::json::exception&) {
      fail(ErrorKind::output, text("not UTF-8: ", in_quotes(value)));
    }
  };
  std::string header = "{";
  const auto separate = [&] { header += header.size() > 1 ? "," : ""; };
  if (!file.metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : file.metadata) {
      header += (header.back() == '{' ? "" : ",") + quote(key) + ":" + quote(value);
    }
    header += "}";
  }
  std::size_t position = 0;
  for (const auto& [name, tensor] : file.tensors) {
    const auto wanted = static_cast<std::uint64_t>(tensor.count()) * info(tensor.dtype).size;
    RETORT_CHECK(name != "__metadata__" && tensor.bytes.size() == wanted, "tensor ", in_quotes(name), ": ",
                 tensor.bytes.size(), " bytes for ", tensor.count(), " elements");
    separate();
    header += quote(name) + ":{\"dtype\":\"" + info(tensor.dtype).name + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) header += (i ? "," : "") + std::to_string(tensor.shape[i]);
    header += "],\"data_offsets\":[" + std::to_string(position) + ",";
    position += tensor.bytes.size();
    header += std::to_string(position) + "]}";
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  RETORT_CHECK(header.size() <= max_header, "a safetensors header of ", header.size(), " bytes");

  std::vector<std::uint8_t> out(8 + header.size() + position);
  const std::uint64_t length = header.size();
  std::memcpy(out.data(), &length, sizeof length);
  std::memcpy(out.data() + 8, header.data(), header.size());
  std::uint8_t* to = out.data() + 8 + header.size();
  for (const auto& [name, tensor] : file.tensors) to = std::copy(tensor.bytes.begin(), tensor.bytes.end(), to);
  return out;
}

void write_safetensors(const std::string& path, const TensorFile& file) {
  const std::vector<std::uint8_t> bytes = serialize_safetensors(file);
  write_file_atomically(path, bytes.data(), bytes.size());
}

}  // namespace retort
