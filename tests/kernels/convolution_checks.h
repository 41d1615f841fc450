// One convolution on a backend against its definition, with the workspace that the backend asked for and no more.
#pragma once

#include "tests/cases/convolution_cases.h"
#include "tests/reference/convolution.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {

/// Random operands of a case, already rounded to its type.
struct ConvolutionOperands {
  Values x, weight, bias, dy;

  explicit ConvolutionOperands(const cases::ConvolutionCase& c)
      : x(random_values(reference::input_count(c.shape), 1, c.shape.dtype)),
        weight(random_values(reference::weight_count(c.shape), 2, c.shape.dtype)),
        bias(c.bias ? random_values(c.shape.out_channels, 3) : Values{}),
        dy(random_values(reference::output_count(c.shape), 4, c.shape.dtype)) {}
};

inline double products_per_output(const Conv2dShape& s) {
  return 1.0 + s.kernel_h * s.kernel_w * s.in_channels;
}
inline double products_per_input(const Conv2dShape& s) {
  return 1.0 * s.kernel_h * s.kernel_w * s.out_channels;
}
inline double products_per_weight(const Conv2dShape& s) {
  return 1.0 * s.batch * s.out_height() * s.out_width();
}

inline void check_conv2d_forward(const Backend& backend, const cases::ConvolutionCase& c) {
  CAPTURE(c.id);
  if (!multiplies(backend, c.shape.dtype)) return;
  const ConvolutionOperands o(c);
  const Conv2dShape& s = c.shape;
  const Workspace workspace(backend, backend.conv2d_workspace(s, ConvolutionPass::forward, Precision::fp32));
  const Buffer x = input(backend, s.dtype, o.x);
  const Buffer weight = input(backend, s.dtype, o.weight);
  const Buffer bias = input(backend, DType::f32, o.bias);
  const Buffer y = output(backend, s.dtype, reference::output_count(s));
  backend.conv2d_forward(workspace.launch(), s, x.data(), weight.data(), c.bias ? bias.f32() : nullptr, y.data());
  const Values expected = reference::conv2d_forward(s, o.x, o.weight, o.bias);
  const Values magnitude = reference::conv2d_forward(s, absolute(o.x), absolute(o.weight), absolute(o.bias));
  Values bounds = sum_bounds(s.dtype, expected, magnitude, products_per_output(s));
  if (c.bias && backend.rounds_between && s.dtype == DType::bf16) {
    const Values sum = reference::conv2d_forward(s, o.x, o.weight, {});
    for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] += unit_roundoff(s.dtype) * std::abs(sum[i]) * 1.01;
  }
  check_within("y", y.values(), expected, bounds);
}

inline void check_fused_convolution(const Backend& backend, const cases::FusedConvolutionCase& c) {
  CAPTURE(c.id);
  const Conv2dShape& s = c.shape.conv;
  if (!multiplies(backend, s.dtype)) return;
  const ConvolutionOperands o({c.id, s, false});
  const Values offset = random_values(s.out_channels, 3, s.dtype);
  const Values added = random_values(reference::output_count(s), 5, s.dtype);
  const Workspace workspace(backend, backend.fused_convolution_workspace(c.shape, Precision::fp32));
  const Buffer x = input(backend, s.dtype, o.x);
  const Buffer weight = input(backend, s.dtype, o.weight);
  const Buffer bias = input(backend, s.dtype, offset);
  const Buffer residual = input(backend, s.dtype, added);
  const Buffer y = output(backend, s.dtype, reference::output_count(s));
  backend.fused_convolution(workspace.launch(), c.shape, x.data(), weight.data(), bias.data(),
                            c.shape.residual ? residual.data() : nullptr, y.data());
  const Values sum = reference::conv2d_forward(s, o.x, o.weight, {});
  Values expected = reference::conv2d_forward(s, o.x, o.weight, offset);
  Values magnitude = reference::conv2d_forward(s, absolute(o.x), absolute(o.weight), absolute(offset));
  for (std::size_t i = 0; c.shape.residual && i < expected.size(); ++i) {
    expected[i] += added[i];
    magnitude[i] += std::abs(added[i]);
  }
  Values bounds = sum_bounds(s.dtype, expected, magnitude, products_per_output(s) + 1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (backend.rounds_between && s.dtype == DType::bf16) {
      bounds[i] += unit_roundoff(s.dtype) * std::abs(sum[i]) * 1.01;
    }
    if (c.shape.relu) expected[i] = std::max(expected[i], 0.0);
  }
  check_within("y", y.values(), expected, bounds);
}

inline void check_conv2d_backward_data(const Backend& backend, const cases::ConvolutionCase& c) {
  CAPTURE(c.id);
  if (!multiplies(backend, c.shape.dtype)) return;
  const ConvolutionOperands o(c);
  const Conv2dShape& s = c.shape;
  const Workspace workspace(backend, backend.conv2d_workspace(s, ConvolutionPass::backward_data, Precision::fp32));
  const Buffer dy = input(backend, s.dtype, o.dy);
  const Buffer weight = input(backend, s.dtype, o.weight);
  const Buffer dx = output(backend, s.dtype, reference::input_count(s));
  backend.conv2d_backward_data(workspace.launch(), s, dy.data(), weight.data(), dx.data());
  const Values expected = reference::conv2d_backward_data(s, o.dy, o.weight);
  const Values magnitude = reference::conv2d_backward_data(s, absolute(o.dy), absolute(o.weight));
  check_within("dx", dx.values(), expected, sum_bounds(s.dtype, expected, magnitude, products_per_input(s)));
}

/// `magnitude_of` is what rounding errors are relative to: sums of absolute products, unless an algorithm adds up
/// others.
inline void check_conv2d_backward_filter(const Backend& backend, const cases::ConvolutionCase& c,
                                         Values (*magnitude_of)(const Conv2dShape&, const Values&,
                                                                const Values&) = reference::conv2d_backward_weight) {
  CAPTURE(c.id);
  if (!multiplies(backend, c.shape.dtype)) return;
  const ConvolutionOperands o(c);
  const Conv2dShape& s = c.shape;
  const Workspace workspace(backend, backend.conv2d_workspace(s, ConvolutionPass::backward_filter, Precision::fp32));
  const Buffer x = input(backend, s.dtype, o.x);
  const Buffer dy = input(backend, s.dtype, o.dy);
  const DType type = backend.conv2d_filter_gradient_type(s);
  const Buffer dweight = output(backend, type, reference::weight_count(s));
  const Buffer dbias = output(backend, DType::f32, c.bias ? s.out_channels : 0);
  backend.conv2d_backward_filter(workspace.launch(), s, x.data(), dy.data(), dweight.data(),
                                 c.bias ? dbias.f32() : nullptr);
  const double terms = products_per_weight(s);
  const Values expected = reference::conv2d_backward_weight(s, o.x, o.dy);
  const Values magnitude = magnitude_of(s, absolute(o.x), absolute(o.dy));
  check_within("dw", dweight.values(), expected, sum_bounds(type, expected, magnitude, terms));
  if (!c.bias) return;
  const Values bias = reference::conv2d_backward_bias(s, o.dy);
  const Values bias_magnitude = reference::conv2d_backward_bias(s, absolute(o.dy));
  check_within("db", dbias.values(), bias, sum_bounds(DType::f32, bias, bias_magnitude, terms));
}

}  // namespace retort::test
