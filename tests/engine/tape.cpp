// How gradients travel: added where a variable is used twice, shared where nobody writes, dropped where nobody asks.
#include "engine/tape.h"

#include <doctest/doctest.h>

#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {

constexpr int count = 6;
const Shape row{1, count};

Values ramp(double factor) {
  Values values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = factor * (static_cast<double>(i) - 2.5);
  return values;
}

Values times(Values values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

Tensor row_of(Device device, const Values& values) {
  return device_tensor(device, row, values);
}

}  // namespace

BACKEND_TEST("tape: gradients of an activation that is used one to four times are added") {
  for (int uses = 1; uses <= 4; ++uses) {
    Context context(backend.device);
    Tape tape(context);
    const Var x = leaf(row_of(backend.device, ramp(1)));
    const Var h = relu(tape, x);
    Var sum = h;
    for (int i = 1; i < uses; ++i) sum = add(tape, sum, h);
    const Tensor dy = row_of(backend.device, Values(count, 3));
    tape.deliver(sum, dy);
    tape.backward();
    check_equal("dx", host_values(tape.take_gradient(*x)), {0, 0, 0, 3.0 * uses, 3.0 * uses, 3.0 * uses});
    check_equal("the gradient that was delivered is not written to", host_values(dy), Values(count, 3));
  }
}

BACKEND_TEST("tape: relu does not work in place on a gradient that another variable holds too") {
  Context context(backend.device);
  Tape tape(context);
  const Var x = leaf(row_of(backend.device, ramp(1))), b = leaf(row_of(backend.device, ramp(2)));
  const Var sum = add(tape, relu(tape, x), b);
  // The tape is the only owner of this gradient, which the sum hands to both addends.
  Tensor dy = context.make(row, DType::f32, "gradient");
  set_values(dy, Values(count, 5));
  tape.deliver(sum, std::move(dy));
  tape.backward();
  check_equal("dx", host_values(tape.take_gradient(*x)), {0, 0, 0, 5, 5, 5});
  check_equal("db", host_values(tape.take_gradient(*b)), Values(count, 5));
}

BACKEND_TEST("tape: two ReLUs that share a gradient get their own") {
  Context context(backend.device);
  Tape tape(context);
  const Var x = leaf(row_of(backend.device, ramp(1))), z = leaf(row_of(backend.device, ramp(-1)));
  const Var sum = add(tape, relu(tape, x), relu(tape, z));
  Tensor dy = context.make(row, DType::f32, "gradient");
  set_values(dy, Values(count, 5));
  tape.deliver(sum, std::move(dy));
  tape.backward();
  check_equal("dx", host_values(tape.take_gradient(*x)), {0, 0, 0, 5, 5, 5});
  check_equal("dz", host_values(tape.take_gradient(*z)), {5, 5, 5, 0, 0, 0});
}

BACKEND_TEST("tape: a flattened gradient that is shared is not written to") {
  Context context(backend.device);
  Tape tape(context);
  const Shape image{1, 1, 2, 3};
  const Var x = leaf(device_tensor(backend.device, image, ramp(1)));
  const Var b = leaf(row_of(backend.device, ramp(1)));
  const Var sum = add(tape, flatten(tape, relu(tape, x)), b);
  CHECK(sum->shape() == row);
  Tensor dy = context.make(row, DType::f32, "gradient");
  set_values(dy, Values(count, 5));
  tape.deliver(sum, std::move(dy));
  tape.backward();
  const Tensor dx = tape.take_gradient(*x);
  CHECK(dx.shape() == image);
  check_equal("dx", host_values(dx), {0, 0, 0, 5, 5, 5});
  check_equal("db", host_values(tape.take_gradient(*b)), Values(count, 5));
}

BACKEND_TEST("tape: flatten in f32 is a view, in bf16 a conversion") {
  Context context(backend.device);
  const Shape image{2, 1, 3, 1};
  const Values values{1, -2, 3, 0.5, 0.25, -4};
  for (const DType dtype : {DType::f32, DType::bf16}) {
    Tape tape(context);
    const Var x = leaf(device_tensor(backend.device, image, dtype, values));
    const Var y = flatten(tape, x);
    CHECK(y->value.dtype() == DType::f32);
    CHECK(y->shape() == Shape({2, 3}));
    CHECK((y->value.data() == x->value.data()) == (dtype == DType::f32));
    check_equal("y", host_values(y->value), values);
    tape.deliver(y, device_tensor(backend.device, {2, 3}, times(values, -1)));
    tape.backward();
    const Tensor dx = tape.take_gradient(*x);
    CHECK(dx.dtype() == dtype);
    CHECK(dx.shape() == image);
    check_equal("dx", host_values(dx), times(values, -1));
  }
}

BACKEND_TEST(
    "tape: the gradient of a bf16 convolution's filter is f32 behind the backward pass, and a sum if used twice") {
  if (!backend.has_bf16()) return;
  const Shape image{1, 3, 4, 2}, filter{3, 3, 3, 2}, result{1, 3, 4, 3};
  const auto values = [](const Shape& shape, std::uint32_t stream) {
    return random_values(static_cast<std::size_t>(shape.count()), stream, DType::bf16);
  };
  const auto gradients = [&](int uses) {
    Context context(backend.device, Precision::bf16);
    Tape tape(context);
    const Var x = leaf(device_tensor(backend.device, image, DType::bf16, values(image, 1)), false);
    Var weights[2];
    for (std::uint32_t i = 0; i < 2; ++i) {
      weights[i] = parameter(device_tensor(backend.device, filter, values(filter, 2 + i)));
      weights[i]->compute = device_tensor(backend.device, filter, DType::bf16, values(filter, 2 + i));
    }
    for (int i = 0; i < 2 * uses; ++i) {
      const Var y = conv2d(tape, x, weights[i % 2], nullptr, {1, 1});
      tape.deliver(y, device_tensor(backend.device, result, DType::bf16, values(result, 4 + i % 2)));
    }
    tape.backward();
    CHECK(weights[0]->gradient.dtype() == DType::f32);
    return std::vector{host_values(weights[0]->gradient), host_values(weights[1]->gradient)};
  };
  const std::vector<Values> once = gradients(1);
  for (std::size_t i = 0; i < 2; ++i) {
    double terms = 0;
    for (const double g : once[i]) terms += std::abs(g);
    CHECK(terms > 1);
    CHECK(std::isfinite(terms));
    CHECK(once[0] != once[1]);
    check_equal("used twice", gradients(2)[i], times(once[i], 2));
    const Values thrice = gradients(3)[i];
    check_within("used three times", thrice, times(once[i], 3), 1e-5);
  }
}

BACKEND_TEST("tape: a parameter that is used twice gets the sum, and what was there before is gone") {
  for (const int uses : {1, 2, 3}) {
    Context context(backend.device);
    Tape tape(context);
    const Var x = leaf(row_of(backend.device, ramp(1)));
    const Var weight = parameter(device_tensor(backend.device, {2, count}, random_values(2 * count, 1)));
    const Var bias = parameter(device_tensor(backend.device, {2}, {0.5, -0.5}));
    for (int i = 0; i < uses; ++i) {
      tape.deliver(linear(tape, x, weight, bias), device_tensor(backend.device, {1, 2}, {1, -2}));
    }
    tape.backward();
    Values expected = times(ramp(1), uses);
    for (const double value : ramp(-2)) expected.push_back(value * uses);
    check_equal("dweight", host_values(weight->gradient), expected);
    check_equal("dbias", host_values(bias->gradient), {1.0 * uses, -2.0 * uses});
  }
}

BACKEND_TEST("tape: what needs no gradient records nothing, costs nothing and gets nothing") {
  Context context(backend.device);
  Tape tape(context);
  const Var x = leaf(row_of(backend.device, ramp(1)), false);
  const Var weight = leaf(device_tensor(backend.device, {2, count}, random_values(2 * count, 1)), false);
  const Var y = relu(tape, linear(tape, add(tape, x, x), weight, nullptr));
  CHECK(tape.size() == 0);
  CHECK_FALSE(y->requires_grad);
  CHECK(context.macs() == 2 * count);
  tape.deliver(y, device_tensor(backend.device, {1, 2}, {1, 1}));
  CHECK(y->parts.empty());
  tape.backward();
  CHECK(x->parts.empty());
  // The first layer: a gradient for the weight, none for the image and no work towards it.
  const Var trained = parameter(weight->value);
  tape.deliver(linear(tape, x, trained, nullptr), device_tensor(backend.device, {1, 2}, {1, 1}));
  tape.backward();
  CHECK(x->parts.empty());
  CHECK(context.macs() == 2 * count * 3);
}

BACKEND_TEST("tape: a branch that no loss reaches costs nothing in the backward pass") {
  Context context(backend.device);
  Tape tape(context);
  const Var x = leaf(row_of(backend.device, ramp(1)));
  const Var weight = parameter(device_tensor(backend.device, {2, count}, random_values(2 * count, 1)));
  linear(tape, x, weight, nullptr);
  const double forward = context.macs();
  tape.backward();
  CHECK(context.macs() == forward);
  CHECK_FALSE(weight->gradient_written);
  CHECK_FALSE(static_cast<bool>(tape.take_gradient(*x)));
}

BACKEND_TEST("tape: a tape that does not record leaves no trace") {
  Context context(backend.device);
  Tape tape(context, Tape::Recording::off);
  const Var x = leaf(row_of(backend.device, ramp(1)));
  const Var y = relu(tape, x);
  CHECK(tape.size() == 0);
  CHECK_FALSE(y->requires_grad);
}

BACKEND_TEST("tape: closures are gone after the backward pass, and with them the activations") {
  Context context(backend.device);
  Tape tape(context);
  const Var x = leaf(row_of(backend.device, ramp(1)));
  std::weak_ptr<Variable> middle;
  Var y;
  {
    const Var h = relu(tape, x);
    middle = h;
    y = relu(tape, h);
  }
  CHECK_FALSE(middle.expired());
  tape.deliver(y, row_of(backend.device, ramp(1)));
  tape.backward();
  CHECK(middle.expired());
}

BACKEND_TEST("tape: a gradient of the wrong shape is refused, and the message has both shapes") {
  Context context(backend.device);
  Tape tape(context);
  const Var x = leaf(row_of(backend.device, ramp(1)));
  try {
    tape.deliver(x, device_tensor(backend.device, {2, 3}, ramp(1)));
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(std::string(error.what()) == "a gradient of shape [2, 3] was delivered to 'leaf' of shape [1, 6]");
  }
}

}  // namespace retort::test
