// The Huffman tables of a JPEG, checked before stb_image sees them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace retort {

/// Whether every Huffman table has at most 256 codes, as JPEG allows; `bytes` begin with 0xff. Debian 12's stb_image
/// believes the counts in the file and writes beyond its tables: issue 1289 of nothings/stb.
bool jpeg_tables_fit(const std::uint8_t* bytes, std::size_t size);

}  // namespace retort
