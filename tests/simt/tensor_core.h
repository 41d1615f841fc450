// mma.sync.m16n8k16 and ldmatrix.x4 with the layouts of the PTX manual: what bench/lab/convolution/tensor_core.h stands
// for on the host. In them a lane has a group, lane / 4, and a number in it, lane % 4.
#pragma once

#include "tests/simt/runner.h"

namespace simt {

/// sum + left[0] right[0] + ... + left[15] right[15], no better than a tensor core adds.
float tensor_core_sum(float sum, const float (&left)[16], const float (&right)[16]);

/// The float of which these are the upper bits.
inline float upper_half(std::uint64_t bits) {
  const auto word = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

/// Each lane names a row of sixteen bytes; lanes 0 to 7 those of a first matrix of 8 x 8 elements, and so on for four.
/// Of each matrix it gets two neighbouring elements: row `group`, columns 2 * number and the one behind.
inline __attribute__((always_inline)) void load_matrices(std::uint32_t (&out)[4], const void* row) {
  check_aligned(row, 16);
  std::uint64_t halves[2];
  __builtin_memcpy(halves, row, sizeof halves);
  for (int half = 0; half < 2; ++half) {
    const Exchange exchange(0xffffffffU, &halves[half], sizeof halves[half], "ldmatrix");
    const int group = exchange.lane() / 4;
    const int number = exchange.lane() % 4;
    if (number / 2 != half) continue;
    for (int matrix = 0; matrix < 4; ++matrix) {
      std::uint64_t words = 0;
      exchange.read(8 * matrix + group, &words, sizeof words);
      out[matrix] = static_cast<std::uint32_t>(words >> (32 * (number % 2)));
    }
  }
}

/// (16 x 8) sums += left (16 x 16) right (16 x 8), where a lane has of
///     sums   rows group, group + 8 in turn after two; columns 2 * number + {0, 1}
///     left   registers 0, 1: rows group, group + 8, columns 2 * number + {0, 1}; registers 2, 3: columns 8 further
///     right  registers 0, 1: rows 2 * number + {0, 1} and 8 further, column group
inline __attribute__((always_inline)) void multiply_matrices(float (&sums)[4], const std::uint32_t (&left)[4],
                                                             std::uint32_t right0, std::uint32_t right1) {
  float rows[2][16];
  float columns[2][16];
  const auto both = [](std::uint32_t low, std::uint32_t high) { return std::uint64_t{high} << 32 | low; };
  for (int half = 0; half < 2; ++half) {
    const std::uint64_t own = both(left[2 * half], left[2 * half + 1]);
    const Exchange exchange(0xffffffffU, &own, sizeof own, "mma");
    for (int k = 0; k < 8; ++k) {
      std::uint64_t theirs = 0;
      exchange.read(exchange.lane() / 4 * 4 + k / 2, &theirs, sizeof theirs);
      for (int row = 0; row < 2; ++row) rows[row][8 * half + k] = upper_half(theirs >> (32 * row + 16 * (k % 2)));
    }
  }
  const std::uint64_t own = both(right0, right1);
  const Exchange exchange(0xffffffffU, &own, sizeof own, "mma");
  for (int column = 0; column < 2; ++column) {
    for (int k = 0; k < 16; ++k) {
      std::uint64_t theirs = 0;
      exchange.read((2 * (exchange.lane() % 4) + column) * 4 + k % 8 / 2, &theirs, sizeof theirs);
      columns[column][k] = upper_half(theirs >> (32 * (k / 8) + 16 * (k % 2)));
    }
  }
  for (int i = 0; i < 4; ++i) sums[i] = tensor_core_sum(sums[i], rows[i / 2], columns[i % 2]);
}

}  // namespace simt
