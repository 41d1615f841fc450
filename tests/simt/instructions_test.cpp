// Tensor cores and asynchronous copies do here what the PTX manual says; mistakes with them are found.
#include "tests/simt/instructions.h"

#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "tests/simt/backend.h"
#include "tests/simt/runner.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

using ::simt::FindingKind;
using ::simt::instructions::Mistake;

/// Where a fragment's element is in its matrix.
struct Place {
  int row, column;
};

// As the PTX manual gives them for mma.m16n8k16 with .bf16, where i counts the elements that a lane has.
Place place_in_left(int lane, int i) {
  const int group = lane >> 2;
  const int thread_in_group = lane % 4;
  return {(i >= 0 && i < 2) || (i >= 4 && i < 6) ? group : group + 8,
          i < 4 ? thread_in_group * 2 + (i & 1) : thread_in_group * 2 + (i & 1) + 8};
}
Place place_in_right(int lane, int i) {
  const int group = lane >> 2;
  const int thread_in_group = lane % 4;
  return {i < 2 ? thread_in_group * 2 + (i & 1) : thread_in_group * 2 + (i & 1) + 8, group};
}
Place place_in_sums(int lane, int i) {
  const int group = lane >> 2;
  const int thread_in_group = lane % 4;
  return {i < 2 ? group : group + 8, thread_in_group * 2 + (i & 1)};
}

std::size_t at(const Place& place, int columns) {
  return static_cast<std::size_t>(place.row * columns + place.column);
}

/// A lane's registers hold two elements each, the first in the lower half.
std::vector<std::uint8_t> registers(const Values& matrix, int columns, int elements, Place (*place)(int, int)) {
  Values all;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < elements; ++i) all.push_back(matrix[at(place(lane, i), columns)]);
  }
  return encode(DType::bf16, all);
}

/// sums + left right, as the lanes have it at the end.
Values multiplied(const Values& left, const Values& right, const Values& sums) {
  const Backend& simt = simt_backend();
  Values by_lane;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) by_lane.push_back(sums[at(place_in_sums(lane, i), 8)]);
  }
  const Buffer a(simt, DType::u8, registers(left, 16, 8, place_in_left), Buffer::Use::input);
  const Buffer b(simt, DType::u8, registers(right, 8, 4, place_in_right), Buffer::Use::input);
  const Buffer c = inout(simt, DType::f32, by_lane);
  ::simt::instructions::multiply(a.as<std::uint32_t>(), b.as<std::uint32_t>(), c.f32(), false);
  const Values result = c.values();
  Values matrix(16 * 8, std::nan(""));
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i) matrix[at(place_in_sums(lane, i), 8)] = result[static_cast<std::size_t>(4 * lane + i)];
  }
  return matrix;
}

Values product(const Values& left, const Values& right, Values sums) {
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 8; ++column) {
      for (int k = 0; k < 16; ++k) sums[at({row, column}, 8)] += left[at({row, k}, 16)] * right[at({k, column}, 8)];
    }
  }
  return sums;
}

template <typename Launch>
std::optional<FindingKind> finding_of(const Launch& launch) {
  try {
    launch();
  } catch (const ::simt::Finding& finding) {
    return finding.kind();
  }
  return std::nullopt;
}

std::optional<FindingKind> copied(Mistake mistake, int limit, Values* result) {
  Values values(512);
  std::iota(values.begin(), values.end(), 1.0);
  const Buffer in = input(simt_backend(), DType::f32, values);
  const Buffer out = output(simt_backend(), DType::f32, 512);
  const auto finding = finding_of([&] { ::simt::instructions::copy(mistake, in.f32(), limit, out.f32()); });
  *result = out.values();
  return finding;
}

}  // namespace

TEST_CASE("simt instructions: mma finds every element where the PTX manual has it") {
  // Small integers, so that every sum is exact; no two rows or columns are the same.
  const Values left = random_integers(16 * 16, 1, 100), right = random_integers(16 * 8, 2, 100),
               sums = random_integers(16 * 8, 3, 1000);
  check_equal("product", multiplied(left, right, sums), product(left, right, sums));
}

TEST_CASE("simt instructions: mma adds up within a tensor core's error") {
  const Values left = random_values(16 * 16, 1, DType::bf16), right = random_values(16 * 8, 2, DType::bf16),
               sums = random_values(16 * 8, 3);
  const Values magnitude = product(absolute(left), absolute(right), absolute(sums));
  Values bounds;
  for (const double m : magnitude) bounds.push_back(2 * 10 * 0x1p-23 * m);  // two sums of nine, all cut off
  check_within("product", multiplied(left, right, sums), product(left, right, sums), bounds);
  const auto half_a_warp = [] {
    const Buffer words = output(simt_backend(), DType::i32, 128), out = output(simt_backend(), DType::f32, 128);
    ::simt::instructions::multiply(words.as<std::uint32_t>(), words.as<std::uint32_t>(), out.f32(), true);
  };
  CHECK(finding_of(half_a_warp) == FindingKind::divergent_warp);
}

TEST_CASE("simt instructions: ldmatrix gives a lane two elements of a row of each matrix") {
  std::vector<std::uint8_t> bytes(32 * 8 * 2);
  for (std::size_t i = 0; i < 32 * 8; ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(i % 8);      // the column
    bytes[2 * i + 1] = static_cast<std::uint8_t>(i / 8);  // the lane that names the row
  }
  const Buffer rows(simt_backend(), DType::u8, bytes, Buffer::Use::input);
  const Buffer out = output(simt_backend(), DType::i32, 128);
  ::simt::instructions::load_matrices(rows.as<std::uint16_t>(), 0, out.as<std::uint32_t>());
  const Values words = out.values();
  for (int lane = 0; lane < 32; ++lane) {
    for (int matrix = 0; matrix < 4; ++matrix) {
      const int row = 8 * matrix + lane / 4;
      const int column = lane % 4 * 2;
      const int expected = (row << 8 | column) | (row << 8 | (column + 1)) << 16;
      CHECK(words[static_cast<std::size_t>(4 * lane + matrix)] == expected);
    }
  }
  const auto shifted = [&] {
    ::simt::instructions::load_matrices(rows.as<std::uint16_t>(), 1, out.as<std::uint32_t>());
  };
  CHECK(finding_of(shifted) == FindingKind::misaligned);
}

TEST_CASE("simt instructions: copies arrive when they are waited for, with zeros for what is not there") {
  Values out;
  CHECK_FALSE(copied(Mistake::none, 100, &out).has_value());
  for (int i = 0; i < 64; ++i) {
    for (int k = 0; k < 4; ++k) {
      const int from = 4 * (i ^ 63) + k;
      CHECK(out[static_cast<std::size_t>(4 * i + k)] == 1 + from);
      CHECK(out[static_cast<std::size_t>(256 + 4 * i + k)] == (64 + (i ^ 63) < 100 ? 257 + from : 0));
    }
  }
}

TEST_CASE("simt instructions: mistakes with copies are found") {
  Values out;
  CHECK(copied(Mistake::no_wait, 128, &out) == FindingKind::uninitialised);
  CHECK(copied(Mistake::waits_for_one_group, 128, &out) == FindingKind::uninitialised);
  CHECK(copied(Mistake::no_commit, 128, &out) == FindingKind::uninitialised);
  CHECK(copied(Mistake::no_barrier, 128, &out).has_value());  // a race, or not yet copied
  CHECK(copied(Mistake::next_too_early, 128, &out) == FindingKind::race);
  CHECK(copied(Mistake::misaligned, 128, &out) == FindingKind::misaligned);
  CHECK(copied(Mistake::to_device_memory, 128, &out) == FindingKind::not_allowed);
}

}  // namespace retort::test
