// Arrays of an .npz file, as numpy.savez and numpy.savez_compressed write them: a ZIP archive of .npy files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/file.h"

namespace retort {

struct NpyArray {
  enum class Type { f32, f64, u8, i32, i64 };
  Type type = Type::f32;
  std::vector<std::int64_t> shape;  ///< row-major
  Bytes bytes;                      ///< little-endian

  std::int64_t count() const;
  /// Converted; whole numbers beyond 2^24 lose digits.
  std::vector<float> floats() const;
};

/// Those of the arrays `names` ("a" for "a.npy") that the file has, by name; nothing else in it is unpacked. Throws
/// Error(input) that begins with `name` for a damaged file, ZIP64, compression other than deflate, encryption, another
/// type, Fortran order, and, before memory is made for them, where these arrays claim more than `limit` bytes together.
std::map<std::string, NpyArray> parse_npz(const std::uint8_t* data, std::size_t size,
                                          const std::vector<std::string>& names, std::size_t limit,
                                          const std::string& name);
/// Of a file that has no more than `limit` bytes itself.
std::map<std::string, NpyArray> read_npz(const std::string& path, const std::vector<std::string>& names,
                                         std::size_t limit);

}  // namespace retort
