// Philox4x32-10 written from the paper: a bijection of the counter, 10 rounds, Weyl-sequence key schedule.
#pragma once

#include <array>
#include <cstdint>

namespace retort::reference {

using Counter = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

inline Counter philox4x32(Counter counter, Key key, int rounds = 10) {
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t left = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t right = std::uint64_t{0xCD9E8D57} * counter[2];
    const auto high = [](std::uint64_t product) { return static_cast<std::uint32_t>(product >> 32); };
    const auto low = [](std::uint64_t product) { return static_cast<std::uint32_t>(product); };
    counter = {high(right) ^ counter[1] ^ key[0], low(right), high(left) ^ counter[3] ^ key[1], low(left)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

/// The words of (seed, purpose; sample, epoch, draw) in the order of kernels/philox.h.
inline Counter random_words(std::uint32_t seed, std::uint32_t purpose, std::uint64_t sample, std::uint32_t epoch,
                            std::uint32_t draw) {
  return philox4x32({static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32), epoch, draw},
                    {seed, purpose});
}

inline double uniform(std::uint32_t word) {
  return (word / 256) / 16777216.0;
}

}  // namespace retort::reference
