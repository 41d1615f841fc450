// Elementwise kernels and device memory on every backend.
#include "tests/reference/elementwise.h"

#include "tests/cases/elementwise_cases.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

BACKEND_TEST("relu passes what is positive, in both directions and in place") {
  NEEDS(relu_forward);
  for (const cases::ElementwiseCase& c : cases::elementwise_cases()) {
    CAPTURE(c.id);
    const Values values = normal_values(c.n, 1, c.dtype);
    const Values gradient = normal_values(c.n, 2, c.dtype);
    const Values expected = reference::relu_forward(values);
    const Values expected_gradient = reference::relu_backward(gradient, expected);
    const Buffer x = input(backend, c.dtype, values);
    const Buffer y = output(backend, c.dtype, c.n);
    backend.relu_forward({}, c.dtype, c.n, x.data(), y.data());
    check_equal("y", y.values(), expected);
    const Buffer dy = input(backend, c.dtype, gradient);
    const Buffer dx = output(backend, c.dtype, c.n);
    backend.relu_backward({}, c.dtype, c.n, dy.data(), y.data(), dx.data());
    check_equal("dx", dx.values(), expected_gradient);
    const Buffer shared = inout(backend, c.dtype, gradient);
    backend.relu_backward({}, c.dtype, c.n, shared.data(), y.data(), shared.data());
    check_equal("dx in place", shared.values(), expected_gradient);
  }
}

BACKEND_TEST("add rounds the exact sum once, also over either operand") {
  NEEDS(add);
  for (const cases::ElementwiseCase& c : cases::elementwise_cases()) {
    CAPTURE(c.id);
    const Values left = normal_values(c.n, 1, c.dtype);
    const Values right = normal_values(c.n, 2, c.dtype);
    Values expected(c.n);
    for (std::int64_t i = 0; i < c.n; ++i) expected[i] = round_to(c.dtype, left[i] + right[i]);
    const Buffer a = input(backend, c.dtype, left);
    const Buffer b = input(backend, c.dtype, right);
    const Buffer sum = output(backend, c.dtype, c.n);
    backend.add({}, c.dtype, c.n, a.data(), b.data(), sum.data());
    check_equal("sum", sum.values(), expected);
    const Buffer over_a = inout(backend, c.dtype, left);
    backend.add({}, c.dtype, c.n, over_a.data(), b.data(), over_a.data());
    check_equal("sum over a", over_a.values(), expected);
    const Buffer over_b = inout(backend, c.dtype, right);
    backend.add({}, c.dtype, c.n, a.data(), over_b.data(), over_b.data());
    check_equal("sum over b", over_b.values(), expected);
  }
}

BACKEND_TEST("convert rounds to nearest even and keeps infinities and NaN") {
  NEEDS(convert);
  for (const cases::ElementwiseCase& c : cases::elementwise_cases()) {
    CAPTURE(c.id);
    Values values = normal_values(c.n, 1, DType::f32, 0, 100);
    const Values special{HUGE_VAL, -HUGE_VAL, NAN, 0, 1 + 0x1p-8, 1 + 3 * 0x1p-8, 3.4e38, -1 - 0x1p-8 - 0x1p-20, 1e-30};
    for (std::size_t i = 0; i < special.size() && i < values.size(); ++i) {
      values[values.size() - 1 - i] = round_to(DType::f32, special[i]);
    }
    Values rounded = values;
    for (double& value : rounded) value = round_to(DType::bf16, value);
    const Buffer wide = input(backend, DType::f32, values);
    const Buffer narrow = output(backend, DType::bf16, c.n);
    const Buffer back = output(backend, DType::f32, c.n);
    backend.convert({}, c.n, DType::f32, wide.data(), DType::bf16, narrow.data());
    check_equal("bf16", narrow.values(), rounded);
    backend.convert({}, c.n, DType::bf16, narrow.data(), DType::f32, back.data());
    check_equal("f32 again", back.values(), rounded);
  }
}

BACKEND_TEST("widen_all converts each of its ranges, however many there are and wherever they begin") {
  NEEDS(widen_all);
  for (const int count : {1, 3, 128, 300}) {
    for (const bool aligned : {true, false}) {
      CAPTURE(count);
      CAPTURE(aligned);
      // Ranges one behind the other, of 0 to 2000 elements; aligned ones begin at multiples of sixteen bytes.
      std::vector<std::int64_t> begin, length;
      std::int64_t total = 0;
      for (int i = 0; i < count; ++i) {
        begin.push_back(total);
        length.push_back(i % 7 == 6 ? 0 : count > 3 ? 5 + i % 40 : 700 * i + 600);
        total += aligned ? (length.back() + 7) / 8 * 8 : length.back() + 1;
      }
      const Values values = normal_values(total, 5, DType::bf16);
      const Buffer narrow = input(backend, DType::bf16, values);
      const Buffer wide = output(backend, DType::f32, total);
      std::vector<WidenedRange> ranges;
      Values expected(total, NAN);
      for (int i = 0; i < count; ++i) {
        ranges.push_back({narrow.as<bfloat16>() + begin[i], wide.f32() + begin[i], length[i]});
        std::copy_n(values.begin() + begin[i], length[i], expected.begin() + begin[i]);
      }
      backend.widen_all({}, ranges.data(), count);
      check_equal("wide", wide.values(), expected);
    }
  }
}

BACKEND_TEST("dropout keeps exactly the elements its counter-based mask names, scaled by 1 / (1 - p)") {
  NEEDS(dropout);
  StepState host;
  host.seed = 77;
  host.epoch = 12;
  const DeviceStruct<StepState> state(backend, host, Buffer::Use::input);
  for (const cases::DropoutCase& c : cases::dropout_cases()) {
    CAPTURE(c.id);
    const Values who = random_integers(c.rows, 9, 60000);
    const Values values = random_values(1UL * c.rows * c.features, 3, c.dtype, 1, 2);
    const Buffer samples = input(backend, DType::i32, who);
    const Buffer x = input(backend, c.dtype, values);
    const Buffer y = output(backend, c.dtype, values.size());
    backend.dropout({}, c.dtype, c.rows, c.features, c.p, c.layer, samples.i32(), state.data(), x.data(), y.data());
    const Values expected = reference::dropout({c.p, c.layer, host.seed, host.epoch}, who, values);
    const Values actual = y.values();
    check_within("y", actual, expected, rounding_bounds(c.dtype, expected, 4));
    bool same_mask = true;
    for (std::size_t i = 0; i < actual.size(); ++i) same_mask = same_mask && (actual[i] == 0) == (expected[i] == 0);
    CHECK(same_mask);
  }
}

BACKEND_TEST("dropout draws anew for another epoch, seed or layer, and keeps a share of 1 - p") {
  NEEDS(dropout);
  constexpr int rows = 40;
  constexpr int features = 1000;
  const auto kept = [&](float p, std::uint32_t layer, std::uint32_t seed, std::uint32_t epoch) {
    StepState host;
    host.seed = seed;
    host.epoch = epoch;
    const DeviceStruct<StepState> state(backend, host, Buffer::Use::input);
    const Buffer samples = input(backend, DType::i32, random_integers(rows, 9, 60000));
    const Buffer x = input(backend, DType::f32, Values(rows * features, 1.0));
    const Buffer y = output(backend, DType::f32, rows * features);
    backend.dropout({}, DType::f32, rows, features, p, layer, samples.i32(), state.data(), x.data(), y.data());
    Values mask = y.values();
    for (double& value : mask) value = value > 0 ? 1 : 0;
    return mask;
  };
  const auto share = [](const Values& values) { return dot(values, values) / static_cast<double>(values.size()); };
  for (const float p : {0.1F, 0.5F}) {
    const double six_deviations = 6 * std::sqrt(p * (1 - p) / (rows * features));
    CHECK(std::abs(share(kept(p, 0, 1, 0)) - (1 - p)) < six_deviations);
  }
  const Values base = kept(0.5F, 0, 1, 0);
  for (const Values& other : {kept(0.5F, 1, 1, 0), kept(0.5F, 0, 2, 0), kept(0.5F, 0, 1, 1)}) {
    CHECK(std::abs(dot(base, other) / (rows * features) - 0.25) < 6 * std::sqrt(0.25 * 0.75 / (rows * features)));
  }
  const Values first_row(base.begin(), base.begin() + features);
  const Values second_row(base.begin() + features, base.begin() + 2 * features);
  CHECK(first_row != second_row);
}

BACKEND_TEST("allocate aligns to 256 bytes, and copies and fills touch what they are told to") {
  NEEDS(allocate);
  for (const std::size_t bytes : {1, 2, 255, 256, 257, 100000}) {
    void* block = backend.allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % 256 == 0);
    backend.deallocate(block);
    const Values pattern = random_integers(bytes, 1, 256);
    const Buffer from = input(backend, DType::u8, pattern);
    const Buffer to = output(backend, DType::u8, bytes);
    backend.copy_bytes({}, to.data(), from.data(), bytes);
    backend.synchronize({});
    check_equal("copy", to.values(), pattern);
    backend.fill_zero({}, to.data(), bytes);
    check_equal("zero", to.values(), Values(bytes, 0.0));
  }
}

#if !defined(__SANITIZE_ADDRESS__)
BACKEND_TEST("allocate reports exhausted memory as an error of kind memory") {
  NEEDS(allocate);
  try {
    backend.allocate(std::size_t{1} << 60);
    FAIL("an exbibyte was allocated");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::memory);
  }
}
#endif

}  // namespace
}  // namespace retort::test
