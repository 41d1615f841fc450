#include "data/jpeg_tables.h"

namespace retort {
namespace {

constexpr std::uint8_t kDefineTables = 0xc4, kComment = 0xfe, kFirstApplication = 0xe0, kLastApplication = 0xef;

struct Stream {
  const std::uint8_t* bytes;
  std::size_t size;
  /// Behind the end the decoder reads zeros.
  std::size_t at(std::size_t i) const { return i < size ? bytes[i] : 0; }
  std::size_t length(std::size_t i) const { return at(i) << 8 | at(i + 1); }
};

/// The tables of the segment whose length field is at `place`.
bool segment_fits(const Stream& s, std::size_t place) {
  const std::size_t end = place + s.length(place);
  for (std::size_t table = place + 2; table < end;) {
    if (s.at(table) >> 4 > 1 || (s.at(table) & 15) > 3) return true;  // no table: the decoder stops here
    std::size_t codes = 0;
    for (std::size_t i = 1; i <= 16; ++i) codes += s.at(table + i);
    if (codes > 255) return false;
    table += 17 + codes;
  }
  return true;
}

}  // namespace

bool jpeg_tables_fit(const std::uint8_t* bytes, std::size_t size) {
  const Stream s{bytes, size};
  std::size_t begin = 1;
  while (s.at(begin) == 0xff) ++begin;  // fill bytes before the marker that begins the image
  ++begin;
  // Up to the first segment that is something else, decoders agree on where application data and comments are. Nothing
  // in those is looked at: a colour profile may hold any bytes.
  const auto is_skipped = [&](std::size_t i) {
    const std::size_t marker = s.at(i + 1);
    return s.at(i) == 0xff && (marker == kComment || (marker >= kFirstApplication && marker <= kLastApplication));
  };
  while (is_skipped(begin) && s.length(begin + 2) >= 2) begin += 2 + s.length(begin + 2);
  // Behind them a marker is wherever the decoder may come across one; image data has none that defines tables.
  for (std::size_t i = begin; i + 1 < size; ++i) {
    if (bytes[i] == 0xff && bytes[i + 1] == kDefineTables && !segment_fits(s, i + 2)) return false;
  }
  return true;
}

}  // namespace retort
