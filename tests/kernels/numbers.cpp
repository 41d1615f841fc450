// Philox against its published vectors, and bfloat16 against the definition of rounding to nearest even.
#include <array>
#include <cmath>

#include "kernels/philox.h"
#include "tests/reference/philox.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"

namespace retort::test {
namespace {

Philox4 philox_of(const reference::Counter& c, const reference::Key& k) {
  return philox(k[0], static_cast<Purpose>(k[1]), c[0] | std::uint64_t{c[1]} << 32, c[2], c[3]);
}

reference::Counter words(const Philox4& p) {
  return {p.v[0], p.v[1], p.v[2], p.v[3]};
}

struct KnownAnswer {
  reference::Counter counter;
  reference::Key key;
  reference::Counter answer;
};

// kat_vectors of the Random123 distribution, philox4x32 10
const KnownAnswer known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

TEST_CASE("Philox gives the known answers of the Random123 distribution") {
  for (const KnownAnswer& known : known_answers) {
    CHECK(words(philox_of(known.counter, known.key)) == known.answer);
    CHECK(reference::philox4x32(known.counter, known.key) == known.answer);
  }
}

TEST_CASE("Philox and its reference agree on counters and keys with single bits set") {
  for (int bit = 0; bit < 192; ++bit) {
    reference::Counter counter{};
    reference::Key key{};
    (bit < 128 ? counter[bit / 32] : key[bit / 32 - 4]) = 1U << bit % 32;
    CHECK(words(philox_of(counter, key)) == reference::philox4x32(counter, key));
  }
}

TEST_CASE("uniform numbers stay in [0, 1) and take all four quarters equally often") {
  CHECK(to_uniform(0) == 0.0F);
  CHECK(to_uniform(~0U) < 1.0F);
  CHECK(to_uniform(0x80000000U) == 0.5F);
  std::array<int, 4> quarters{};
  for (std::uint32_t i = 0; i < 40000; ++i) {
    for (const std::uint32_t word : philox(3, Purpose::shuffle, i, 0, 0).v) {
      ++quarters[static_cast<int>(to_uniform(word) * 4)];
    }
  }
  for (const int count : quarters) CHECK(std::abs(count - 40000) < 6 * std::sqrt(160000 * 0.25 * 0.75));
}

TEST_CASE("integers below n reach 0 and n - 1 and never n") {
  for (const std::uint32_t n : {1U, 2U, 9U, 50000U, 0x80000001U}) {
    CHECK(to_below(0, n) == 0);
    CHECK(to_below(~0U, n) == n - 1);
  }
}

TEST_CASE("bfloat16 keeps every value it can represent") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    bfloat16 value;
    value.bits = static_cast<std::uint16_t>(bits);
    const float wide = static_cast<float>(value);
    if (std::isnan(wide)) {
      if (!std::isnan(static_cast<float>(bfloat16(wide)))) FAIL_CHECK("NaN " << bits << " was lost");
    } else if (bfloat16(wide).bits != bits) {
      FAIL_CHECK("bits " << bits << " came back as " << bfloat16(wide).bits);
    }
  }
}

TEST_CASE("bfloat16 rounds to the nearest neighbour, ties to the even one") {
  for (std::uint32_t bits = 0; bits < 0x7F7F; bits += 7) {
    bfloat16 below;
    bfloat16 above;
    below.bits = static_cast<std::uint16_t>(bits);
    above.bits = static_cast<std::uint16_t>(bits + 1);
    const float low = static_cast<float>(below);
    const float middle = static_cast<float>((static_cast<double>(low) + static_cast<float>(above)) / 2);
    const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    const std::uint32_t nearer_low = bfloat16(std::nextafterf(middle, 0.0F)).bits;
    const std::uint32_t nearer_high = bfloat16(std::nextafterf(middle, HUGE_VALF)).bits;
    if (bfloat16(middle).bits != even || nearer_low != bits || nearer_high != bits + 1) FAIL_CHECK("near " << low);
    if (bfloat16(-middle).bits != (even | 0x8000U)) FAIL_CHECK("near " << -low);
  }
}

TEST_CASE("bfloat16 overflows to infinity only beyond the last half step") {
  CHECK(std::isinf(static_cast<float>(bfloat16(3.4e38F))));
  CHECK(bfloat16(0x1.fep127F).bits == 0x7F7F);
  CHECK(bfloat16(0x1.fefffep127F).bits == 0x7F7F);
  CHECK(static_cast<float>(bfloat16(-HUGE_VALF)) == -HUGE_VALF);
  float quiet_in_low_bits;  // a NaN whose upper half alone would read as infinity
  const std::uint32_t word = 0x7F800001U;
  std::memcpy(&quiet_in_low_bits, &word, sizeof word);
  CHECK(std::isnan(static_cast<float>(bfloat16(quiet_in_low_bits))));
}

BACKEND_TEST("the guards around a buffer notice a write outside it and a changed input") {
  const Buffer guarded = output(backend, DType::f32, 3);
  CHECK(guarded.values().size() == 3);
  CHECK(std::isnan(guarded.values()[2]));
  CHECK(guarded.guards_intact());
#if !defined(__SANITIZE_ADDRESS__)
  const std::uint8_t byte = 0;
  const std::uint8_t guard = Buffer::guard_value;
  for (const std::ptrdiff_t at : {std::ptrdiff_t{-1}, std::ptrdiff_t{12}}) {
    backend.copy_bytes({}, guarded.as<std::uint8_t>() + at, &byte, 1);
    CHECK_FALSE(guarded.guards_intact());
    backend.copy_bytes({}, guarded.as<std::uint8_t>() + at, &guard, 1);
    CHECK(guarded.guards_intact());
  }
#endif
}

}  // namespace
}  // namespace retort::test
