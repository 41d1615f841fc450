// The fully connected layer on every backend against its definition.
#include "tests/reference/linear.h"

#include "tests/cases/convolution_cases.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

struct Operands {
  Values x, weight, bias, dy;

  explicit Operands(const cases::LinearCase& c)
      : x(random_values(1UL * c.shape.batch * c.shape.in_features, 1)),
        weight(random_values(1UL * c.shape.out_features * c.shape.in_features, 2)),
        bias(c.bias ? random_values(c.shape.out_features, 3) : Values{}),
        dy(random_values(1UL * c.shape.batch * c.shape.out_features, 4)) {}
};

TEST_CASE("the reference linear layer's gradients agree with finite differences of its forward pass") {
  const cases::LinearCase c{"", {3, 4, 2}, true};
  const Operands o(c);
  const LinearShape& s = c.shape;
  const auto by_x = [&](const Values& x) { return dot(reference::linear_forward(s, x, o.weight, o.bias), o.dy); };
  const auto by_weight = [&](const Values& w) { return dot(reference::linear_forward(s, o.x, w, o.bias), o.dy); };
  const auto by_bias = [&](const Values& b) { return dot(reference::linear_forward(s, o.x, o.weight, b), o.dy); };
  check_within("dx", reference::linear_backward_data(s, o.dy, o.weight), finite_differences(by_x, o.x), 1e-8);
  check_within("dw", reference::linear_backward_weight(s, o.x, o.dy), finite_differences(by_weight, o.weight), 1e-8);
  check_within("db", reference::linear_backward_bias(s, o.dy), finite_differences(by_bias, o.bias), 1e-8);
}

BACKEND_TEST("the linear layer computes x W^T + b") {
  NEEDS(linear_forward);
  for (const cases::LinearCase& c : cases::linear_cases()) {
    CAPTURE(c.id);
    const Operands o(c);
    const Workspace workspace(backend, backend.linear_workspace(c.shape));
    const Buffer x = input(backend, DType::f32, o.x);
    const Buffer weight = input(backend, DType::f32, o.weight);
    const Buffer bias = input(backend, DType::f32, o.bias);
    const Buffer y = output(backend, DType::f32, o.dy.size());
    backend.linear_forward(workspace.launch(), c.shape, x.f32(), weight.f32(), c.bias ? bias.f32() : nullptr, y.f32());
    const Values expected = reference::linear_forward(c.shape, o.x, o.weight, o.bias);
    const Values magnitude = reference::linear_forward(c.shape, absolute(o.x), absolute(o.weight), absolute(o.bias));
    check_within("y", y.values(), expected, sum_bounds(DType::f32, expected, magnitude, 1.0 + c.shape.in_features));
  }
}

BACKEND_TEST("the linear layer's gradients overwrite what was there") {
  NEEDS(linear_backward_weight);
  for (const cases::LinearCase& c : cases::linear_cases()) {
    CAPTURE(c.id);
    const Operands o(c);
    const LinearShape& s = c.shape;
    const Workspace workspace(backend, backend.linear_workspace(s));
    const Buffer x = input(backend, DType::f32, o.x);
    const Buffer weight = input(backend, DType::f32, o.weight);
    const Buffer dy = input(backend, DType::f32, o.dy);
    const Buffer dx = output(backend, DType::f32, o.x.size());
    const Buffer dweight = output(backend, DType::f32, o.weight.size());
    const Buffer dbias = output(backend, DType::f32, o.bias.size());
    backend.linear_backward_data(workspace.launch(), s, dy.f32(), weight.f32(), dx.f32());
    backend.linear_backward_weight(workspace.launch(), s, x.f32(), dy.f32(), dweight.f32(),
                                   c.bias ? dbias.f32() : nullptr);
    const Values want_x = reference::linear_backward_data(s, o.dy, o.weight);
    const Values size_x = reference::linear_backward_data(s, absolute(o.dy), absolute(o.weight));
    check_within("dx", dx.values(), want_x, sum_bounds(DType::f32, want_x, size_x, s.out_features));
    const Values want_w = reference::linear_backward_weight(s, o.x, o.dy);
    const Values size_w = reference::linear_backward_weight(s, absolute(o.x), absolute(o.dy));
    check_within("dw", dweight.values(), want_w, sum_bounds(DType::f32, want_w, size_w, s.batch));
    if (!c.bias) continue;
    const Values want_b = reference::linear_backward_bias(s, o.dy);
    const Values size_b = reference::linear_backward_bias(s, absolute(o.dy));
    check_within("db", dbias.values(), want_b, sum_bounds(DType::f32, want_b, size_b, s.batch));
  }
}

}  // namespace
}  // namespace retort::test
