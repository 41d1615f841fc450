// Arguments that do not fit give Error(usage) whose text has the shapes.
#include <doctest/doctest.h>

#include "engine/losses.h"
#include "tests/engine/expect_error.h"
#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {

Var zeros(const Shape& shape, DType dtype = DType::f32) {
  return leaf(device_tensor(Device::cpu, shape, dtype, Values(static_cast<std::size_t>(shape.count()))));
}

void check_usage(const std::function<void(Tape&)>& call, std::initializer_list<const char*> parts) {
  Context context;
  Tape tape(context);
  const std::string message = message_of(ErrorKind::usage, [&] { call(tape); });
  for (const char* part : parts) check_contains(message, part);
  CHECK(tape.size() == 0);
}

BatchNormState state_of(int channels) {
  const Var one = zeros({channels});
  return {one, one, one->value, one->value, one->value, one->value, zeros({1})->value};
}

}  // namespace

TEST_CASE("op arguments: conv2d and linear") {
  const auto conv = [](const Shape& x, const Shape& w, Conv2dOptions options, const Var& bias = nullptr) {
    return [=](Tape& t) { conv2d(t, zeros(x), zeros(w), bias, options); };
  };
  check_usage(conv({1, 4, 4, 3}, {2, 3, 3, 5}, {}), {"conv2d", "[1, 4, 4, 3]", "[2, 3, 3, 5]"});
  check_usage(conv({1, 4, 4}, {2, 3, 3, 4}, {}), {"conv2d", "[1, 4, 4]"});
  check_usage(conv({1, 4, 4, 3}, {2, 3, 9}, {}), {"conv2d", "[2, 3, 9]"});
  check_usage(conv({1, 2, 4, 3}, {2, 3, 3, 3}, {}), {"3x3", "[1, 2, 4, 3]", "padding 0"});
  check_usage(conv({1, 4, 4, 3}, {2, 3, 3, 3}, {0, 1}), {"stride 0"});
  check_usage(conv({1, 4, 4, 3}, {2, 3, 3, 3}, {1, -1}), {"padding -1"});
  check_usage(conv({1, 4, 4, 3}, {2, 3, 3, 3}, {}, zeros({3})), {"bias [3]", "[2, 3, 3, 3]"});
  check_usage([](Tape& t) { linear(t, zeros({2, 3}), zeros({4, 5}), nullptr); }, {"linear", "[2, 3]", "[4, 5]"});
  check_usage([](Tape& t) { linear(t, zeros({2, 3, 1}), zeros({4, 3}), nullptr); }, {"linear", "[2, 3, 1]"});
  check_usage([](Tape& t) { linear(t, zeros({2, 3}), zeros({4, 3}), zeros({3})); }, {"bias [3]", "[4, 3]"});
  check_usage([](Tape& t) { linear(t, zeros({2, 3}, DType::bf16), zeros({4, 3}), nullptr); }, {"[2, 3]", "dtype"});
  check_usage([](Tape& t) { conv2d(t, zeros({1, 4, 4, 3}, DType::bf16), zeros({2, 3, 3, 3}), nullptr, {}); }, {"bf16"});
}

TEST_CASE("op arguments: folded convolutions") {
  const auto folded = [](const Shape& x, const Shape& weight, const Shape& residual, DType dtype = DType::f32) {
    return [=](Tape& t) {
      const FoldedConvolution parameters{"layer7", zeros(weight, dtype)->value, zeros({weight[0]})->value};
      const Var input = t.variable(zeros(x)->value, false);
      folded_conv2d(t, input, parameters, true,
                    residual.rank() > 0 ? t.variable(zeros(residual)->value, false) : nullptr, {});
    };
  };
  check_usage(folded({1, 4, 4, 3}, {2, 3, 3, 5}, {}), {"conv2d", "[1, 4, 4, 3]", "[2, 3, 3, 5]"});
  check_usage(folded({1, 4, 4, 3}, {2, 3, 3, 3}, {1, 4, 4, 2}), {"residual [1, 4, 4, 2]", "[1, 2, 2, 2]"});
  check_usage(folded({1, 4, 4, 3}, {2, 3, 3, 3}, {}, DType::bf16), {"layer7", "dtype"});
  check_usage(
      [](Tape& t) {
        folded_conv2d(t, zeros({1, 4, 4, 3}), {"layer7", zeros({2, 3, 3, 3})->value, zeros({2})->value}, false, nullptr,
                      {});
      },
      {"layer7", "gradient"});
}

TEST_CASE("op arguments: batch norm") {
  const auto mode = ForwardMode::training();
  check_usage(
      [&](Tape& t) {
        batch_norm(t, zeros({2, 3, 3, 4}), state_of(5), true, nullptr, mode);
      },
      {"batch_norm", "[2, 3, 3, 4]", "[5]"});
  check_usage([&](Tape& t) { batch_norm(t, zeros({2, 3, 4}), state_of(4), true, nullptr, mode); }, {"[2, 3, 4]"});
  check_usage(
      [&](Tape& t) {
        batch_norm(t, zeros({2, 4}), state_of(4), true, zeros({1, 4}), mode);
      },
      {"residual [1, 4]", "[2, 4]"});
  check_usage(
      [&](Tape& t) {
        batch_norm(t, zeros({2, 4}), state_of(4), true, zeros({2, 4}, DType::bf16), mode);
      },
      {"residual"});
  check_usage(
      [&](Tape& t) {
        batch_norm(t, zeros({1, 4}), state_of(4), true, nullptr, mode);
      },
      {"more than one value"});
  check_usage(
      [&](Tape& t) {
        add_batch_norm(t, zeros({2, 4}), zeros({3, 4}), state_of(4), true, mode);
      },
      {"add_batch_norm", "[2, 4]", "[3, 4]"});
}

TEST_CASE("op arguments: pooling, sums, flatten and dropout") {
  check_usage([](Tape& t) { add(t, zeros({2, 3}), zeros({3, 2})); }, {"add", "[2, 3]", "[3, 2]"});
  check_usage([](Tape& t) { add(t, zeros({2, 3}), zeros({2, 3}, DType::bf16)); }, {"add"});
  check_usage([](Tape& t) { max_pool2d(t, zeros({1, 2, 4, 1}), 3, 1); }, {"max_pool2d", "3x3", "[1, 2, 4, 1]"});
  check_usage([](Tape& t) { avg_pool2d(t, zeros({1, 4, 2, 1}), 3, 1); }, {"avg_pool2d", "3x3", "[1, 4, 2, 1]"});
  check_usage([](Tape& t) { max_pool2d(t, zeros({1, 4, 4, 1}), 2, 0); }, {"stride 0"});
  check_usage([](Tape& t) { max_pool2d(t, zeros({4, 4}), 2, 2); }, {"[4, 4]"});
  check_usage([](Tape& t) { global_avg_pool(t, zeros({4, 4})); }, {"global_avg_pool", "[4, 4]"});
  const auto drop = [](float p, int samples) {
    return [=](Tape& t) {
      dropout(t, zeros({2, 3}), p, 0, sample_indices(Device::cpu, samples), nullptr, ForwardMode::training());
    };
  };
  check_usage(drop(1, 2), {"dropout", "probability 1"});
  check_usage(drop(-0.5F, 2), {"probability -0.5"});
  check_usage(drop(0.5F, 3), {"[3]", "[2, 3]"});
}

TEST_CASE("op arguments: losses") {
  const auto integers = [](const Shape& shape) { return zeros(shape, DType::i32)->value; };
  const auto cross_entropy = [&](const Var& logits, const Shape& labels, const Shape& samples) {
    return [=](Tape& t) { regulated_cross_entropy(t, logits, integers(labels), integers(samples), nullptr, {}); };
  };
  check_usage(cross_entropy(zeros({2, 3}), {3}, {2}), {"regulated_cross_entropy", "[2, 3]", "[3]"});
  check_usage(cross_entropy(zeros({2, 3}), {2}, {4}), {"[2, 3]", "[4]"});
  check_usage(cross_entropy(zeros({2, 3}), {2, 3}, {2}), {"[2, 3]"});
  check_usage(cross_entropy(zeros({2, 3, 1}), {2}, {2}), {"[2, 3, 1]"});
  const auto distil = [&](const Shape& teacher, const Tensor& weights, DistillationWeights options) {
    return [=](Tape& t) {
      distillation_loss(t, zeros({2, 3}), zeros(teacher)->value, integers({2}), integers({2}), weights, nullptr, {},
                        options);
    };
  };
  check_usage(distil({2, 4}, {}, {}), {"student logits [2, 3]", "teacher logits [2, 4]"});
  check_usage(distil({2, 3}, zeros({3})->value, {}), {"weights [3]"});
  check_usage(distil({2, 3}, {}, {0.5F, 0}), {"temperature 0"});
  check_usage(distil({2, 3}, {}, {1.5F, 1}), {"alpha 1.5"});
  check_usage(
      [&](Tape& t) {
        regulated_squared_error(t, zeros({2, 3}), zeros({2, 4})->value, integers({2}), nullptr, {});
      },
      {"regulated_squared_error", "[2, 3]", "[2, 4]"});
}

TEST_CASE("op arguments: shapes") {
  CHECK(Shape({2, 3}).str() == "[2, 3]");
  CHECK(Shape().count() == 1);
  CHECK(Shape({2, 0, 3}).count() == 0);
  CHECK(Shape({2, 3})[-1] == 3);
  CHECK_FALSE(Shape({2}) == Shape({2, 0}));
  check_contains(message_of(ErrorKind::usage, [] { Shape{1, -2}; }), "-2");
  check_contains(message_of(ErrorKind::usage, [] { Shape{1, 2, 3, 4, 5}; }), "at most 4");
  check_contains(message_of(ErrorKind::usage, [] { zeros({2, 3})->value.reshaped({4}); }), "[2, 3] to [4]");
}

TEST_CASE("op arguments: a part of a tensor is in the same memory") {
  const Tensor whole = zeros({4, 3, 2})->value, part = whole.part(1, 2);
  CHECK(part.shape() == Shape({2, 3, 2}));
  CHECK(part.f32() == whole.f32() + 6);
  CHECK(whole.part(4, 0).count() == 0);
  check_contains(message_of(ErrorKind::usage, [&] { whole.part(3, 2); }), "entries 3 to 5 of [4, 3, 2]");
}

}  // namespace retort::test
