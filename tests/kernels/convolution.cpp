// Convolution on every backend against its definition; the definition against finite differences.
#include "tests/kernels/convolution_checks.h"

namespace retort::test {
namespace {

TEST_CASE("the reference convolution's gradients agree with finite differences of its forward pass") {
  for (const cases::ConvolutionCase& c : cases::tiny_convolution_cases()) {
    CAPTURE(c.id);
    const ConvolutionOperands o(c);
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
  for (const cases::ConvolutionCase& c : cases::convolution_cases()) check_conv2d_forward(backend, c);
}

BACKEND_TEST("convolution with bias, residual and ReLU computes all of it") {
  NEEDS(fused_convolution);
  for (const auto& c : cases::fused_cases(cases::convolution_cases())) check_fused_convolution(backend, c);
}

BACKEND_TEST("convolution sends the gradient back to every input pixel, those no window reads getting zero") {
  NEEDS(conv2d_backward_data);
  for (const cases::ConvolutionCase& c : cases::convolution_cases()) check_conv2d_backward_data(backend, c);
}

BACKEND_TEST("convolution's filter and bias gradients are the derivatives by the weights and the bias") {
  NEEDS(conv2d_backward_filter);
  for (const cases::ConvolutionCase& c : cases::convolution_cases()) check_conv2d_backward_filter(backend, c);
}

BACKEND_TEST("convolution run twice gives the same bits, also after another shape in between") {
  NEEDS(conv2d_forward);
  const std::vector<cases::ConvolutionCase> all = cases::convolution_cases();
  const auto run = [&](cases::ConvolutionCase c) {
    if (!multiplies(backend, c.shape.dtype)) c.shape.dtype = DType::f32;
    const ConvolutionOperands o(c);
    const Workspace workspace(backend, backend.conv2d_workspace(c.shape, ConvolutionPass::forward, Precision::fp32));
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
