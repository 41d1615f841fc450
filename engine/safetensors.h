// safetensors files: 8-byte little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, raw data.
// Reading validates everything before it allocates; writing is atomic: temporary file, sync, rename.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace retort {

enum class FileDType { f32, f64, f16, bf16, i64, i32, i16, i8, u8, boolean };

/// One tensor of a file, on the host, row-major.
struct FileTensor {
  FileDType dtype = FileDType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;

  std::int64_t count() const;
  /// Converts f32, f64, f16, bf16 and integers to float.
  std::vector<float> to_floats() const;
  /// Converts the integer types.
  std::vector<std::int64_t> to_integers() const;

  static FileTensor of(const std::vector<float>& values, std::vector<std::int64_t> shape);
  static FileTensor of(const std::vector<std::int32_t>& values, std::vector<std::int64_t> shape);
  static FileTensor of(const std::vector<std::int64_t>& values, std::vector<std::int64_t> shape);
  static FileTensor of(const std::vector<std::uint8_t>& values, std::vector<std::int64_t> shape);
};

struct TensorFile {
  std::map<std::string, FileTensor> tensors;       // sorted: the same content gives the same bytes
  std::map<std::string, std::string> metadata;     // the header's __metadata__

  bool has(const std::string& name) const { return tensors.count(name) != 0; }
  /// Throws Error(input) naming the tensor.
  const FileTensor& at(const std::string& name) const;
};

/// Throws Error(input) with one clear line (path, what is wrong): missing file, header longer than 100 MB or than the
/// file, bad JSON, unknown dtype, duplicate key, negative or overflowing shape, offsets out of range, holes, overlap,
/// size that does not match the shape, data that ends before or after the file does.
TensorFile read_safetensors(const std::string& path);
/// The same from memory; `name` stands for the path in messages. Entry point of the fuzz target.
TensorFile parse_safetensors(const std::uint8_t* data, std::size_t size, const std::string& name);

std::vector<std::uint8_t> serialize_safetensors(const TensorFile& file);
/// Throws Error(output) on failure (full disk, no permission) and leaves the old file as it was.
void write_safetensors(const std::string& path, const TensorFile& file);

}  // namespace retort
