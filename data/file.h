// Whole files in memory: reading with a limit, gunzip with a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace retort {

using Bytes = std::vector<std::uint8_t>;

/// The file's bytes. Error(input) naming the path if it cannot be read or is larger than `limit` bytes.
Bytes read_bytes(const std::string& path, std::size_t limit);

/// The content of a gzip stream. Error(input) starting with `name` if it is damaged, cut short, followed by anything,
/// or larger than `limit` bytes. Memory grows with what is really there, not with what a header claims.
Bytes gunzip(const std::uint8_t* bytes, std::size_t size, std::size_t limit, const std::string& name);

/// The same of a deflate stream without a header, as ZIP archives have it.
Bytes inflate_raw(const std::uint8_t* bytes, std::size_t size, std::size_t limit, const std::string& name);

/// Makes the folder and its parents. Error(output) naming it.
void make_folder(const std::string& path);

/// A text file of at most 1 GiB. Error(input) naming the path if it cannot be read.
std::string read_text(const std::string& path);

/// Non-empty lines, carriage returns removed; none if there is no such file.
std::vector<std::string> read_lines(const std::string& path);

/// zlib's crc32, without its 32-bit length limit; `crc` continues an earlier one.
std::uint32_t crc32_of(const void* bytes, std::size_t size, std::uint32_t crc = 0);

}  // namespace retort
