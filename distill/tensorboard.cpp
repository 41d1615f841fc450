#include "distill/tensorboard.h"

#include <array>
#include <cmath>
#include <cstring>

namespace retort {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82F63B78U : 0);
    table[i] = value;
  }
  return table;
}

/// The bytes of a number; both formats are little-endian, as are the machines that this runs on.
template <typename T>
std::string bytes_of(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// TFRecord stores checksums rotated and shifted, so that a checksum of data that holds checksums stays useful.
std::string masked_crc(const std::string& bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return bytes_of(((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U);
}

std::string record(const std::string& data) {
  const std::string length = bytes_of(static_cast<std::uint64_t>(data.size()));
  return length + masked_crc(length) + data + masked_crc(data);
}

// Protobuf's wire format: a key (field number and kind), then the value.
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7U) bytes += static_cast<char>((value & 127U) | 128U);
  return bytes + static_cast<char>(value);
}
std::string key(unsigned field, unsigned kind) {
  return varint((field << 3U) | kind);
}
std::string integer_field(unsigned field, std::uint64_t value) {
  return key(field, 0) + varint(value);
}
std::string double_field(unsigned field, double value) {
  return key(field, 1) + bytes_of(value);
}
std::string bytes_field(unsigned field, const std::string& value) {
  return key(field, 2) + varint(value.size()) + value;
}
std::string float_field(unsigned field, float value) {
  return key(field, 5) + bytes_of(value);
}

}  // namespace

std::uint32_t crc32c(const std::string& bytes) {
  static constexpr auto table = crc_table();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) crc = (crc >> 8U) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 255U];
  return ~crc;
}

// message Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
// message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }
std::string tensorboard_header(double wall_time) {
  return record(double_field(1, wall_time) + bytes_field(3, "brain.Event:2"));
}

std::string tensorboard_scalars(double wall_time, std::int64_t step, const Scalars& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    if (!std::isfinite(value)) continue;
    summary += bytes_field(1, bytes_field(1, tag) + float_field(2, static_cast<float>(value)));
  }
  return record(double_field(1, wall_time) + integer_field(2, static_cast<std::uint64_t>(step)) +
                bytes_field(5, summary));
}

}  // namespace retort
