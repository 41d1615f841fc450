// A tile in shared memory: 64 rows of 64 bytes, accessed in packs of sixteen.
//
// Two rows fill the 32 banks once. Eight lanes that read the same pack of eight neighbouring rows would meet in two
// groups of banks, and four of them in each. So each pair of rows keeps its four packs in another order: pack i is
// where pack i ^ (pair % 4) would be, and the eight lanes find all 32 banks.
#pragma once

#include "kernels/cuda/pack.h"

namespace retort::lab {

template <typename T>
struct alignas(128) SwizzledTile {
  static constexpr int kRows = 64;
  static constexpr int kPacks = 4;  ///< a row
  static constexpr int kElements = static_cast<int>(16 / sizeof(T));
  static constexpr int kColumns = kPacks * kElements;

  T elements[kRows * kColumns];

  __device__ T* pack(int row, int pack) { return elements + (row * kPacks + (pack ^ (row / 2 % 4))) * kElements; }
};

}  // namespace retort::lab
