// Convolution on every backend against its definition; the definition against finite differences.
#include "tests/reference/convolution.h"

#include "tests/cases/convolution_cases.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

/// Random operands of a case, already rounded to its type.
struct Operands {
  Values x, weight, bias, dy;

  explicit Operands(const cases::ConvolutionCase& c)
      : x(random_values(reference::input_count(c.shape), 1, c.shape.dtype)),
        weight(random_values(reference::weight_count(c.shape), 2, c.shape.dtype)),
        bias(c.bias ? random_values(c.shape.out_channels, 3) : Values{}),
        dy(random_values(reference::output_count(c.shape), 4, c.shape.dtype)) {}
};

double products_per_output(const Conv2dShape& s) {
  return 1.0 + s.kernel_h * s.kernel_w * s.in_channels;
}
double products_per_input(const Conv2dShape& s) {
  return 1.0 * s.kernel_h * s.kernel_w * s.out_channels;
}
double products_per_weight(const Conv2dShape& s) {
  return 1.0 * s.batch * s.out_height() * s.out_width();
}

TEST_CASE("the reference convolution's gradients agree with finite differences of its forward pass") {
  for (const cases::ConvolutionCase& c : cases::tiny_convolution_cases()) {
    CAPTURE(c.id);
    const Operands o(c);
    const Conv2dShape& s = c.shape;
    const auto by_x = [&](const Values& x) { return dot(reference::conv2d_forward(s, x, o.weight, o.bias), o.dy); };
    const auto by_weight = [&](const Values& w) { return dot(reference::conv2d_forward(s, o.x, w, o.bias), o.dy); };
    const auto by_bias = [&](const Values& b) { return dot(reference::conv2d_forward(s, o.x, o.weight, b), o.dy); };
    check_within("dx", reference::conv2d_backward_data(s, o.dy, o.weight), finite_differences(by_x, o.x), 1e-8);
    check_within("dw", reference::conv2d_backward_weight(s, o.x, o.dy), finite_differences(by_weight, o.weight), 1e-8);
    check_within("db", reference::conv2d_backward_bias(s, o.dy), finite_differences(by_bias, o.bias), 1e-8);
  }
}

TEST_CASE("the reference convolution gives the hand-computed result") {
  // A 2x2 image under a 3x3 kernel 1..9 with padding 1: the kernel is not flipped.
  const Conv2dShape s{1, 2, 2, 1, 1, 3, 3, 1, 1};
  const Values y = reference::conv2d_forward(s, {1, 10, 100, 1000}, {1, 2, 3, 4, 5, 6, 7, 8, 9}, {});
  CHECK(y == Values{9865, 8754, 6532, 5421});
}

BACKEND_TEST("convolution computes the sum of products that its definition says") {
  NEEDS(conv2d_forward);
  for (const cases::ConvolutionCase& c : cases::convolution_cases()) {
    CAPTURE(c.id);
    const Operands o(c);
    const Conv2dShape& s = c.shape;
    const Workspace workspace(backend, backend.conv2d_workspace(s));
    const Buffer x = input(backend, s.dtype, o.x);
    const Buffer weight = input(backend, s.dtype, o.weight);
    const Buffer bias = input(backend, DType::f32, o.bias);
    const Buffer y = output(backend, s.dtype, reference::output_count(s));
    backend.conv2d_forward(workspace.launch(), s, x.data(), weight.data(), c.bias ? bias.f32() : nullptr, y.data());
    const Values expected = reference::conv2d_forward(s, o.x, o.weight, o.bias);
    const Values magnitude = reference::conv2d_forward(s, absolute(o.x), absolute(o.weight), absolute(o.bias));
    check_within("y", y.values(), expected, sum_bounds(s.dtype, expected, magnitude, products_per_output(s)));
  }
}

BACKEND_TEST("convolution sends the gradient back to every input pixel, those no window reads getting zero") {
  NEEDS(conv2d_backward_data);
  for (const cases::ConvolutionCase& c : cases::convolution_cases()) {
    CAPTURE(c.id);
    const Operands o(c);
    const Conv2dShape& s = c.shape;
    const Workspace workspace(backend, backend.conv2d_workspace(s));
    const Buffer dy = input(backend, s.dtype, o.dy);
    const Buffer weight = input(backend, s.dtype, o.weight);
    const Buffer dx = output(backend, s.dtype, reference::input_count(s));
    backend.conv2d_backward_data(workspace.launch(), s, dy.data(), weight.data(), dx.data());
    const Values expected = reference::conv2d_backward_data(s, o.dy, o.weight);
    const Values magnitude = reference::conv2d_backward_data(s, absolute(o.dy), absolute(o.weight));
    check_within("dx", dx.values(), expected, sum_bounds(s.dtype, expected, magnitude, products_per_input(s)));
  }
}

BACKEND_TEST("convolution's filter and bias gradients are f32 whatever the type of the activations") {
  NEEDS(conv2d_backward_filter);
  for (const cases::ConvolutionCase& c : cases::convolution_cases()) {
    CAPTURE(c.id);
    const Operands o(c);
    const Conv2dShape& s = c.shape;
    const Workspace workspace(backend, backend.conv2d_workspace(s));
    const Buffer x = input(backend, s.dtype, o.x);
    const Buffer dy = input(backend, s.dtype, o.dy);
    const Buffer dweight = output(backend, DType::f32, reference::weight_count(s));
    const Buffer dbias = output(backend, DType::f32, c.bias ? s.out_channels : 0);
    backend.conv2d_backward_filter(workspace.launch(), s, x.data(), dy.data(), dweight.f32(),
                                   c.bias ? dbias.f32() : nullptr);
    const double terms = products_per_weight(s);
    const Values expected = reference::conv2d_backward_weight(s, o.x, o.dy);
    const Values magnitude = reference::conv2d_backward_weight(s, absolute(o.x), absolute(o.dy));
    check_within("dw", dweight.values(), expected, sum_bounds(DType::f32, expected, magnitude, terms));
    if (!c.bias) continue;
    const Values bias = reference::conv2d_backward_bias(s, o.dy);
    const Values bias_magnitude = reference::conv2d_backward_bias(s, absolute(o.dy));
    check_within("db", dbias.values(), bias, sum_bounds(DType::f32, bias, bias_magnitude, terms));
  }
}

BACKEND_TEST("convolution run twice gives the same bits, also after another shape in between") {
  NEEDS(conv2d_forward);
  const std::vector<cases::ConvolutionCase> all = cases::convolution_cases();
  const auto run = [&](const cases::ConvolutionCase& c) {
    const Operands o(c);
    const Workspace workspace(backend, backend.conv2d_workspace(c.shape));
    const Buffer x = input(backend, c.shape.dtype, o.x);
    const Buffer weight = input(backend, c.shape.dtype, o.weight);
    const Buffer y = output(backend, c.shape.dtype, reference::output_count(c.shape));
    backend.conv2d_forward(workspace.launch(), c.shape, x.data(), weight.data(), nullptr, y.data());
    return y.bytes();
  };
  const auto first = run(all[20]);
  run(all[21]);
  run(all[22]);
  CHECK(run(all[20]) == first);
}

}  // namespace
}  // namespace retort::test
