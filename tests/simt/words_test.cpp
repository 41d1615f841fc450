// The words of CUDA that kernels use do here what CUDA's programming guide and its PTX manual define.
#include "tests/simt/words.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

namespace {

using simt::Extent;
using simt::FindingKind;
using simt::words::Place;
using simt::words::Shuffle;
using simt::words::Vote;

constexpr unsigned kAll = 0xffffffffU;

/// A device buffer.
template <typename T>
class Array {
 public:
  explicit Array(const std::vector<T>& values)
      : count_(values.size()), data_(static_cast<T*>(simt::allocate(count_ * sizeof(T)))) {
    simt::copy(data_, values.data(), count_ * sizeof(T));
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { simt::release(data_); }

  T* data() const { return data_; }
  std::vector<T> values() const {
    std::vector<T> host(count_);
    simt::copy(host.data(), data_, count_ * sizeof(T));
    return host;
  }

 private:
  std::size_t count_;
  T* data_;
};

template <typename Launch>
std::optional<FindingKind> finding_of(const Launch& launch) {
  try {
    launch();
  } catch (const simt::Finding& finding) {
    return finding.kind();
  }
  return std::nullopt;
}

std::vector<int> lane_values() {
  std::vector<int> values(32);
  std::iota(values.begin(), values.end(), 100);
  return values;
}

/// Where a lane's value comes from, as the PTX manual computes it for shfl.sync, with the operand c that the guide's
/// functions stand for.
int source_lane(Shuffle word, int lane, int b, int width) {
  const int segment = 32 - width;
  const int clamp = word == Shuffle::up ? 0 : 31;
  const int most = (lane & segment) | (clamp & ~segment);
  const int least = lane & segment;
  int j = 0;
  bool inside = false;
  switch (word) {
    case Shuffle::up:
      j = lane - b;
      inside = j >= most;
      break;
    case Shuffle::down:
      j = lane + b;
      inside = j <= most;
      break;
    case Shuffle::bits:
      j = lane ^ b;
      inside = j <= most;
      break;
    case Shuffle::index:
      j = least | (b & 31 & ~segment);
      inside = j <= most;
      break;
  }
  return inside ? j : lane;
}

std::vector<int> shuffled(Shuffle word, unsigned mask, int argument, int width) {
  const Array<int> in(lane_values());
  const Array<int> out(std::vector<int>(32, -1));
  simt::words::shuffle(word, mask, argument, width, in.data(), out.data());
  return out.values();
}

void check_shuffle(Shuffle word, unsigned mask, int argument, int width) {
  std::vector<int> expected(32, -1);
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) == 0) continue;
    expected[static_cast<std::size_t>(lane)] = 100 + source_lane(word, lane, argument, width);
  }
  CAPTURE(static_cast<int>(word));
  CAPTURE(argument);
  CAPTURE(width);
  CHECK(shuffled(word, mask, argument, width) == expected);
}

template <typename T>
void check_shuffle_type(T value) {
  const Array<T> out(std::vector<T>(32));
  simt::words::shuffle_type(value, out.data());
  std::vector<T> expected(32);
  for (int lane = 0; lane < 32; ++lane) expected[static_cast<std::size_t>(lane)] = value - static_cast<T>(lane + 1);
  expected[31] = value - 31;  // no lane behind it
  CHECK(out.values() == expected);
}

std::vector<unsigned> voted(Vote word, unsigned mask, unsigned ayes) {
  std::vector<int> predicates(32);
  for (int lane = 0; lane < 32; ++lane) {
    if ((ayes >> lane & 1U) != 0) predicates[static_cast<std::size_t>(lane)] = lane % 3 - 4;  // anything but zero
  }
  const Array<int> in(predicates);
  const Array<unsigned> out(std::vector<unsigned>(32, 77));
  simt::words::vote(word, mask, in.data(), out.data());
  return out.values();
}

/// What the lanes of the mask see, the others 77.
std::vector<unsigned> seen(unsigned mask, unsigned value) {
  std::vector<unsigned> lanes(32, 77);
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0) lanes[static_cast<std::size_t>(lane)] = value;
  }
  return lanes;
}

/// 128 values that tell wrong signs and widths.
template <typename T>
std::vector<T> many_values() {
  std::vector<T> values(128);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>(static_cast<T>(i * 7919 % 1000) * (std::is_signed_v<T> && i % 2 == 1 ? T(-1) : T(1)));
    if (sizeof(T) == 8 && std::is_integral_v<T>) values[i] = static_cast<T>(values[i] * T(1'000'000'007));
  }
  return values;
}

template <typename T, typename Word, typename Expected>
void check_atomic(T start, const Word& word, const Expected& expected) {
  const std::vector<T> values = many_values<T>();
  const Array<T> in(values);
  const Array<T> target({start});
  word(target.data(), in.data());
  T result = start;
  for (const T value : values) result = expected(result, value);
  CHECK(target.values()[0] == result);
}

template <typename T>
void check_add() {
  check_atomic<T>(T(5), simt::words::atomic_add<T>, [](T a, T b) { return static_cast<T>(a + b); });
}
template <typename T>
void check_max() {
  check_atomic<T>(std::numeric_limits<T>::min(), simt::words::atomic_max<T>, [](T a, T b) { return std::max(a, b); });
}
template <typename T>
void check_or() {
  check_atomic<T>(T(8), simt::words::atomic_or<T>, [](T a, T b) { return static_cast<T>(a | b); });
}

void check_places(Extent grid, Extent block) {
  const Array<Place> out(std::vector<Place>(grid.count() * block.count()));
  simt::words::places(grid, block, out.data());
  const std::vector<Place> places = out.values();
  std::size_t i = 0;
  const auto same = [](const unsigned(&have)[3], unsigned x, unsigned y, unsigned z) {
    return have[0] == x && have[1] == y && have[2] == z;
  };
  bool right = true;
  for (unsigned bz = 0; bz < grid.z; ++bz) {
    for (unsigned by = 0; by < grid.y; ++by) {
      for (unsigned bx = 0; bx < grid.x; ++bx) {
        const std::size_t first = i;
        for (unsigned z = 0; z < block.z; ++z) {
          for (unsigned y = 0; y < block.y; ++y) {
            for (unsigned x = 0; x < block.x; ++x, ++i) {
              const Place& p = places[i];
              right = right && same(p.thread, x, y, z) && same(p.block, bx, by, bz) &&
                      same(p.block_extent, block.x, block.y, block.z) && same(p.grid_extent, grid.x, grid.y, grid.z) &&
                      p.first_of_warp == (i - first) / 32 * 32;
            }
          }
        }
      }
    }
  }
  CHECK(right);
}

}  // namespace

TEST_CASE("simt words: shuffles take the lane that PTX computes, for every width and argument") {
  for (const int width : {1, 2, 4, 8, 16, 32}) {
    for (int argument = 0; argument < 32; ++argument) {
      for (const Shuffle word : {Shuffle::index, Shuffle::up, Shuffle::down, Shuffle::bits}) {
        check_shuffle(word, kAll, argument, width);
      }
    }
    for (const int argument : {-1, -7, 35, 100}) check_shuffle(Shuffle::index, kAll, argument, width);
  }
}

TEST_CASE("simt words: shuffles of a part of the warp, and a lane outside of it") {
  check_shuffle(Shuffle::bits, 0x0000ffffU, 8, 32);
  check_shuffle(Shuffle::down, 0xffff0000U, 3, 16);
  check_shuffle(Shuffle::up, 0x00ff00ffU, 5, 8);
  check_shuffle(Shuffle::index, 0x55555555U, 6, 32);
  const auto found = [](Shuffle word, unsigned mask, int argument) {
    return finding_of([&] { shuffled(word, mask, argument, 32); });
  };
  CHECK(found(Shuffle::bits, 0x0000ffffU, 16) == FindingKind::divergent_warp);
  CHECK(found(Shuffle::down, 0x0000ffffU, 1) == FindingKind::divergent_warp);
  CHECK(found(Shuffle::index, 0x55555555U, 7) == FindingKind::divergent_warp);
}

TEST_CASE("simt words: a shuffle's width is a power of two up to 32") {
  for (const int width : {0, 3, 12, 33, 64, -8}) {
    CAPTURE(width);
    CHECK(finding_of([&] { shuffled(Shuffle::bits, kAll, 1, width); }) == FindingKind::not_allowed);
  }
}

TEST_CASE("simt words: shuffles move numbers of four and eight bytes") {
  check_shuffle_type<int>(INT_MIN + 100);
  check_shuffle_type<unsigned>(UINT_MAX);
  check_shuffle_type<long long>(LLONG_MIN + 100);
  check_shuffle_type<unsigned long long>(ULLONG_MAX);
  check_shuffle_type<float>(0x1.fffffep18F);
  check_shuffle_type<double>(0x1.fffffffffffffp40);
}

TEST_CASE("simt words: the guide's scan over eight lanes") {
  const Array<int> in(lane_values());
  const Array<int> out(std::vector<int>(32));
  simt::words::inclusive_sums(in.data(), out.data());
  std::vector<int> expected = lane_values();
  for (auto first = expected.begin(); first != expected.end(); first += 8) std::partial_sum(first, first + 8, first);
  CHECK(out.values() == expected);
}

TEST_CASE("simt words: votes count the lanes of their mask, and no others") {
  for (const unsigned mask : {kAll, 0x0000ffffU, 0x80000001U, 0x00000010U}) {
    for (const unsigned ayes : {0U, kAll, 1U, 0x80000000U, 0x00ffff00U, 0x0000ffffU, ~mask, mask}) {
      CAPTURE(mask);
      CAPTURE(ayes);
      CHECK(voted(Vote::ballot, mask, ayes) == seen(mask, ayes & mask));
      CHECK(voted(Vote::any, mask, ayes) == seen(mask, (ayes & mask) != 0 ? 1 : 0));
      CHECK(voted(Vote::all, mask, ayes) == seen(mask, (ayes & mask) == mask ? 1 : 0));
    }
  }
}

TEST_CASE("simt words: __popc counts bits, __ffs numbers the lowest from one, __ldg loads") {
  const std::vector<std::vector<int>> cases = {{0, 0, 0}, {1, 1, 1}, {INT_MIN, 1, 32}, {-1, 32, 1}, {0x00f0, 4, 5}};
  for (const std::vector<int>& c : cases) {
    const Array<int> out(std::vector<int>(3));
    simt::words::bits(static_cast<unsigned>(c[0]), out.data());
    CHECK(out.values() == std::vector<int>{c[1], c[2], c[1] + 1});
  }
}

TEST_CASE("simt words: atomics of many threads lose nothing, for every type that CUDA has") {
  check_add<int>();
  check_add<unsigned>();
  check_add<unsigned long long>();
  check_add<float>();  // of integers: in any order the same
  check_add<double>();
  check_max<int>();
  check_max<unsigned>();
  check_max<long long>();
  check_max<unsigned long long>();
  check_or<int>();
  check_or<unsigned>();
  check_or<unsigned long long>();
}

TEST_CASE("simt words: atomics return what was there before") {
  const Array<int> target({4});
  const Array<int> out(std::vector<int>(8));
  simt::words::atomic_results(target.data(), out.data());
  CHECK(out.values() == std::vector<int>{4, 7, 7, 10, 10, 10, 10, 26});
}

TEST_CASE("simt words: atomicInc begins at zero again behind the last, and where it finds more than that") {
  const auto increments = [](unsigned start, unsigned last) {
    const Array<unsigned> target({start});
    const Array<unsigned> out(std::vector<unsigned>(4));
    simt::words::atomic_increments(target.data(), last, out.data());
    std::vector<unsigned> all = out.values();
    all.push_back(target.values()[0]);
    return all;
  };
  CHECK(increments(3, 4) == std::vector<unsigned>{3, 4, 0, 1, 2});
  CHECK(increments(7, 2) == std::vector<unsigned>{7, 0, 1, 2, 0});
  CHECK(increments(0, 0) == std::vector<unsigned>{0, 0, 0, 0, 0});
  CHECK(increments(UINT_MAX - 1, UINT_MAX) == std::vector<unsigned>{UINT_MAX - 1, UINT_MAX, 0, 1, 2});
}

TEST_CASE("simt words: indices and extents of three dimensions; warps are cut from x, then y, then z") {
  check_places({1}, {1});
  check_places({2, 3, 4}, {4, 3, 5});
  check_places({3, 1, 2}, {7, 5});
  check_places({1, 2, 1}, {8, 2, 64});
  check_places({2}, {1, 1024, 1});
}

TEST_CASE("simt words: dynamic shared memory is as large as the launch says, and new for every block") {
  const Array<float> out(std::vector<float>(128, -1));
  simt::words::dynamic(64, 64 * sizeof(float), false, out.data());
  std::vector<float> expected(128);
  for (std::size_t i = 0; i < 128; ++i) expected[i] = static_cast<float>(63 - i % 64);
  CHECK(out.values() == expected);
  const auto found = [&](int count, bool peek) {
    return finding_of([&] { simt::words::dynamic(count, 48 * sizeof(float), peek, out.data()); });
  };
  CHECK(found(49, false) == FindingKind::out_of_bounds);
  CHECK(found(48, true) == FindingKind::uninitialised);
}

TEST_CASE("simt words: float4 moves sixteen bytes") {
  std::vector<float> values(16);
  std::iota(values.begin(), values.end(), 1.0F);
  const Array<float> in(values);
  const Array<float> out(std::vector<float>(16));
  simt::words::move_float4(in.data(), out.data());
  for (auto four = values.begin(); four != values.end(); four += 4) std::reverse(four, four + 4);
  CHECK(out.values() == values);
}

TEST_CASE("simt words: __syncwarp orders the lanes of its mask") {
  for (const unsigned mask : {kAll, 0x0000ffffU, 0xf0f0f0f0U}) {
    const Array<int> out(std::vector<int>(32, -1));
    simt::words::warp_barrier(mask, out.data());
    int sum = 0;
    for (int lane = 0; lane < 32; ++lane) sum += (mask >> lane & 1U) != 0 ? 10 * lane : 0;
    const std::vector<int> values = out.values();
    for (int lane = 0; lane < 32; ++lane) {
      CHECK(values[static_cast<std::size_t>(lane)] == ((mask >> lane & 1U) != 0 ? sum : -1));
    }
  }
}

TEST_CASE("simt words: a block does not see another's shared variables") {
  const Array<int> out(std::vector<int>(2));
  CHECK(finding_of([&] { simt::words::shared_across_blocks(out.data()); }) == FindingKind::uninitialised);
}

TEST_CASE("simt words: a launch beyond CUDA's limits is refused, as CUDA refuses it") {
  const auto found = [](Extent grid, Extent block, std::size_t bytes) {
    return finding_of([&] { simt::words::empty(grid, block, bytes); });
  };
  CHECK_FALSE(found({3, 2, 1}, {1024}, 48 * 1024).has_value());
  CHECK_FALSE(found({1}, {2, 8, 64}, 0).has_value());
  CHECK_FALSE(found({1, 65535}, {1}, 0).has_value());
  for (const Extent grid : {Extent(0), Extent(1, 0), Extent(1, 1, 0), Extent(0x80000000U), Extent(1, 65536),
                            Extent(1, 1, 65536), Extent(UINT_MAX, UINT_MAX, UINT_MAX)}) {
    CHECK(found(grid, {1}, 0) == FindingKind::not_allowed);
  }
  for (const Extent block : {Extent(0), Extent(32, 0), Extent(1025), Extent(1, 1025), Extent(1, 1, 65), Extent(33, 32),
                             Extent(16, 2, 64), Extent(65536, 65536, 65536)}) {
    CHECK(found({1}, block, 0) == FindingKind::not_allowed);
  }
  CHECK(found({1}, {1}, 48 * 1024 + 1) == FindingKind::not_allowed);
}
