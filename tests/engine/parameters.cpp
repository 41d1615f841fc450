#include "engine/parameters.h"

#include <doctest/doctest.h>

#include <bit>
#include <numeric>

#include "engine/optimizer.h"
#include "tests/engine/expect_error.h"
#include "tests/support/compare.h"
#include "tests/support/device_tensors.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

using Field = ParameterStore::Field;
using Floats = std::vector<float>;

Floats counting(std::size_t count) {
  Floats values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

ParameterSpec spec(const std::string& name, const Shape& shape, Initializer initializer = Initializer::normal,
                   float scale = 1, Layout layout = Layout::plain) {
  ParameterSpec out;
  out.name = name;
  out.logical = shape;
  out.layout = layout;
  out.initializer = initializer;
  out.scale = scale;
  return out;
}

Floats initial(std::uint32_t seed, const std::vector<ParameterSpec>& specs, std::size_t index) {
  Context context;
  ParameterStore store;
  for (const ParameterSpec& s : specs) store.parameter(s);
  store.materialise(context, seed);
  return store.read(index);
}

double mean_of(const Floats& values, int power) {
  double sum = 0;
  for (const float value : values) sum += std::pow(value, power);
  return sum / static_cast<double>(values.size());
}

}  // namespace

BACKEND_TEST("parameters: convolution weights are OIHW outside and OHWI inside") {
  Context context(backend.device);
  ParameterStore store;
  const Var weight = store.parameter(spec("conv", {2, 3, 4, 5}, Initializer::zeros, 0, Layout::conv));
  store.materialise(context, 1, Trainable::yes, Moments::two);
  CHECK(weight->shape() == Shape({2, 4, 5, 3}));
  const Floats logical = counting(120);
  for (const Field field : {Field::value, Field::gradient, Field::momentum, Field::second_moment}) {
    store.write(0, logical, field);
    CHECK(store.read(0, field) == logical);
  }
  const Values inside = host_values(weight->value);
  CHECK(host_values(weight->gradient) == inside);
  std::size_t wrong = 0;
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t h = 0; h < 4; ++h)
        for (std::size_t w = 0; w < 5; ++w)
          wrong += inside[((o * 4 + h) * 5 + w) * 3 + i] != logical[((o * 3 + i) * 4 + h) * 5 + w];
  CHECK(wrong == 0);
}

BACKEND_TEST("parameters: a linear layer behind a flattened image is CHW outside and HWC inside") {
  Context context(backend.device);
  ParameterStore store;
  ParameterSpec s = spec("fc", {2, 3 * 4 * 5}, Initializer::zeros, 0, Layout::flatten_chw);
  s.image_height = 4;
  s.image_width = 5;
  const Var weight = store.parameter(s);
  store.materialise(context, 1);
  CHECK(weight->shape() == Shape({2, 60}));
  const Floats logical = counting(120);
  store.write(0, logical);
  CHECK(store.read(0) == logical);
  const Values inside = host_values(weight->value);
  std::size_t wrong = 0;
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t h = 0; h < 4; ++h)
        for (std::size_t w = 0; w < 5; ++w)
          wrong += inside[o * 60 + (h * 5 + w) * 3 + c] != logical[o * 60 + (c * 4 + h) * 5 + w];
  CHECK(wrong == 0);
}

TEST_CASE("parameters: specifications that make no sense are refused") {
  Context context;
  ParameterStore store;
  store.parameter(spec("a", {2}));
  check_contains(message_of(ErrorKind::usage, [&] { store.parameter(spec("a", {2})); }), "'a'");
  message_of(ErrorKind::usage, [&] { store.parameter(spec("b", {2, 3}, Initializer::zeros, 0, Layout::conv)); });
  ParameterSpec flat = spec("c", {2, 7}, Initializer::zeros, 0, Layout::flatten_chw);
  flat.image_height = 2;
  check_contains(message_of(ErrorKind::usage, [&] { store.parameter(flat); }), "[2, 7]");
  store.materialise(context, 1, Trainable::no);
  message_of(ErrorKind::usage, [&] { store.parameter(spec("d", {2})); });
  message_of(ErrorKind::usage, [&] { store.buffer({"e", {2}, 0, false}); });
  check_contains(message_of(ErrorKind::usage, [&] { store.write(0, {1, 2, 3}); }), "3 values");
  message_of(ErrorKind::usage, [&] { store.read(0, Field::gradient); });
  CHECK_FALSE(store.has(Field::gradient));
  CHECK_FALSE(store.variable(0)->requires_grad);
}

TEST_CASE("parameters: initial values have the distribution that was asked for") {
  const std::vector<ParameterSpec> specs{spec("normal", {100, 1000}, Initializer::normal, 0.5F),
                                         spec("uniform", {100, 1000}, Initializer::uniform, 0.5F),
                                         spec("ones", {7}, Initializer::ones), spec("zeros", {7}, Initializer::zeros)};
  // Bounds are five standard errors of 10^5 samples.
  const Floats normal = initial(1, specs, 0);
  CHECK(std::abs(mean_of(normal, 1)) < 5 * 0.5 / std::sqrt(1e5));
  CHECK(mean_of(normal, 2) == doctest::Approx(0.25).epsilon(5 * std::sqrt(2.0) / std::sqrt(1e5)));
  CHECK(mean_of(normal, 4) == doctest::Approx(3 * 0.0625).epsilon(5 * std::sqrt(96.0 / 9) / std::sqrt(1e5)));
  const Floats uniform = initial(1, specs, 1);
  CHECK(std::abs(mean_of(uniform, 1)) < 5 * 0.5 / std::sqrt(3e5));
  CHECK(mean_of(uniform, 2) == doctest::Approx(0.25 / 3).epsilon(5 * std::sqrt(0.8) / std::sqrt(1e5)));
  const auto [low, high] = std::minmax_element(uniform.begin(), uniform.end());
  CHECK(*low >= -0.5F);
  CHECK(*low < -0.499F);
  CHECK(*high <= 0.5F);
  CHECK(*high > 0.499F);
  CHECK(initial(1, specs, 2) == Floats(7, 1.0F));
  CHECK(initial(1, specs, 3) == Floats(7, 0.0F));
}

TEST_CASE("parameters: initial values depend on seed and place alone") {
  const ParameterSpec a = spec("a", {8, 2, 3, 3}), other = spec("other", {1000}), b = spec("b", {8, 2, 3, 3});
  const Floats values = initial(1, {a, b}, 1);
  CHECK(initial(1, {other, b}, 1) == values);
  CHECK(initial(1, {a, b, other}, 1) == values);
  CHECK(initial(1, {a, spec("b", {8, 2, 3, 3}, Initializer::normal, 1, Layout::conv)}, 1) == values);
  CHECK(initial(2, {a, b}, 1) != values);
  const Floats first = initial(1, {a, b}, 0);
  double product = 0;
  for (std::size_t i = 0; i < first.size(); ++i) product += first[i] * values[i];
  CHECK(std::abs(product / 144) < 5.0 / 12);
}

BACKEND_TEST("parameters: padding between parameters is zero and stays zero under decay and momentum") {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    Context context(backend.device);
    ParameterStore store;
    store.parameter(spec("a", {3}, Initializer::ones));
    store.parameter(spec("b", {65}, Initializer::ones));
    OptimizerOptions options;
    options.kind = kind;
    store.materialise(context, 1, Trainable::yes, options.moments());
    StepState state;
    state.learning_rate = 0.5F;
    state.weight_decay = 0.25F;
    const DeviceState device_state(backend.device, state);
    const Tensor loss = device_tensor(backend.device, {1}, {0.5});
    for (int step = 0; step < 3; ++step) {
      store.begin_step();
      store.write(0, {1, 2, 3}, Field::gradient);
      store.variable(0)->gradient_written = true;
      optimizer_step(context, store, options, loss, device_state.data());
    }
    const ParameterRange range = store.range();
    REQUIRE(range.n == 64 + 128);
    CHECK(store.trainable_count() == 68);
    for (float* base : {range.master, range.momentum, range.second_moment}) {
      if (base == nullptr) continue;
      const Values all = host_values(Tensor({range.n}, DType::f32, backend.device, base));
      for (std::size_t i = 3; i < 64; ++i) CHECK(all[i] == 0);
      for (std::size_t i = 64 + 65; i < all.size(); ++i) CHECK(all[i] == 0);
    }
    CHECK(store.read(0)[1] < 0.5F);
    // 'b' got no gradient: it decays, by (1 - 0.125) a step or with the momentum of its decay on top.
    if (kind == OptimizerKind::adamw) CHECK(store.read(1)[64] == doctest::Approx(0.875 * 0.875 * 0.875));
    if (kind == OptimizerKind::sgd) {
      double w = 1, momentum = 0;
      for (int step = 0; step < 3; ++step) {
        momentum = 0.9 * momentum + 0.25 * w;
        w -= 0.5 * momentum;
      }
      CHECK(store.read(1)[64] == doctest::Approx(w));
    }
  }
}

BACKEND_TEST("parameters: the bf16 copy follows the master values") {
  Context context(backend.device, Precision::bf16);
  ParameterStore store;
  const Var weight = store.parameter(spec("a", {2, 3, 1, 1}, Initializer::normal, 1, Layout::conv));
  store.materialise(context, 1);
  const auto check = [&] {
    Values rounded = host_values(weight->value);
    for (double& value : rounded) value = round_to(DType::bf16, value);
    check_equal("copy", host_values(weight->compute), rounded);
  };
  check();
  store.write(0, {1.001F, 2.003F, -3.3F, 0, 5, 6.0001F});
  check();
  StepState state;
  state.learning_rate = 0.3F;
  const DeviceState device_state(backend.device, state);
  store.write(0, Floats(6, 1.1F), Field::gradient);
  weight->gradient_written = true;
  optimizer_step(context, store, {}, device_tensor(backend.device, {1}, {1}), device_state.data());
  CHECK(store.read(0)[0] == doctest::Approx(1.001 - 0.33));
  check();
}

BACKEND_TEST(
    "parameters: pending buffers equal the ones in force when a step begins, and change nothing by themselves") {
  Context context(backend.device);
  ParameterStore store;
  const std::size_t mean = store.buffer({"mean", {3}, 0.5F, false}), batches = store.buffer({"batches", {1}, 0, true});
  store.materialise(context, 1, Trainable::no);
  check_equal("initial", host_values(store.buffer_pending(mean)), Values(3, 0.5));
  set_values(store.buffer_pending(mean), {7, 8, 9});
  set_values(store.buffer_pending(batches), {1});
  CHECK(store.read_buffer(mean) == Floats(3, 0.5F));
  CHECK(store.read_buffer(batches) == Floats{0});
  store.begin_step();
  check_equal("pending", host_values(store.buffer_pending(mean)), Values(3, 0.5));
  check_equal("pending", host_values(store.buffer_pending(batches)), {0});
  store.write_buffer(mean, {1, 2, 3});
  CHECK(store.read_buffer(mean) == Floats{1, 2, 3});
  message_of(ErrorKind::usage, [&] { store.write_buffer(mean, {1, 2}); });
}

BACKEND_TEST("parameters: a gradient that nobody wrote is zero, whatever was there") {
  Context context(backend.device);
  ParameterStore store;
  const Var a = store.parameter(spec("a", {3})), b = store.parameter(spec("b", {3}));
  store.materialise(context, 1);
  for (const Var& v : {a, b}) set_values(v->gradient, Values(3, HUGE_VAL));
  store.begin_step();
  set_values(a->gradient, {1, 2, 3});
  a->gradient_written = true;
  store.finish_gradients();
  check_equal("written", host_values(a->gradient), {1, 2, 3});
  check_equal("unwritten", host_values(b->gradient), {0, 0, 0});
}

}  // namespace retort::test
