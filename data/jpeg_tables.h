// The Huffman tables of a JPEG, checked before stb_image sees them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace retort {

/// Whether every Huffman table has at most 255 codes; `bytes` begin with 0xff. Debian 12's stb_image believes the counts
/// in the file and writes beyond its tables where there are more than 256 (issue 1289 of nothings/stb), and takes the
/// 256th code for another one. A JPEG of 8 bits has a use for no more than 176.
bool jpeg_tables_fit(const std::uint8_t* bytes, std::size_t size);

}  // namespace retort
