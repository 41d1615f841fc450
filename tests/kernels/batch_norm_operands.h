// Operands of a batch-norm case and what its backward pass should give; shared by the tests of the family.
#pragma once

#include "tests/cases/batch_norm_cases.h"
#include "tests/reference/batch_norm.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {

struct BatchNormOperands {
  Values x, x2, sum, residual, gamma, beta, running_mean, running_var;
  Values dy, dy2, y, addend, mean, rstd;
  double x2_rounding = 0;  // the stored sum may differ from the exact one by this share

  explicit BatchNormOperands(const cases::BatchNormCase& c) {
    const BatchNormShape& s = c.shape;
    const std::size_t n = s.rows * s.channels;
    x = normal_values(n, 1, s.dtype, 0.5, 2);
    if (c.x2) x2 = normal_values(n, 2, s.dtype, -1, 1);
    sum = reference::added(x, x2);
    for (double& value : sum) value = round_to(s.dtype, value);
    if (c.x2) x2_rounding = unit_roundoff(s.dtype);
    if (c.residual) residual = normal_values(n, 3, s.dtype);
    gamma = random_values(s.channels, 4, DType::f32, 0.5, 1.5);
    if (s.channels > 2) gamma[1] = -gamma[1];
    beta = random_values(s.channels, 5);
    running_mean = random_values(s.channels, 6);
    running_var = random_values(s.channels, 7, DType::f32, 0.5, 2);
    dy = normal_values(n, 8, s.dtype);
    if (c.dy2) dy2 = normal_values(n, 9, s.dtype);
    if (c.addend) addend = normal_values(n, 10, s.dtype);
    const reference::Statistics batch = reference::batch_statistics(s, sum);
    mean = c.training ? batch.mean : running_mean;
    rstd = reference::reciprocal_deviation(c.training ? batch.variance : running_var, s.epsilon);
    for (int i = 0; i < s.channels; ++i) {
      mean[i] = round_to(DType::f32, mean[i]);
      rstd[i] = round_to(DType::f32, rstd[i]);
    }
    y = reference::batch_norm_forward(s, sum, mean, rstd, gamma, beta, residual);
    for (double& value : y) value = round_to(s.dtype, value);
  }
};

struct BatchNormExpectation {
  Values g, g_bounds;
  reference::BatchNormGradient gradient, bounds;
};

/// The reference's gradients with error bounds: every term of the formula times the roundings it can meet.
inline BatchNormExpectation expected_backward(const cases::BatchNormCase& c, const BatchNormOperands& o) {
  const BatchNormShape& s = c.shape;
  BatchNormExpectation e;
  e.g = reference::behind_relu(s, o.dy, o.dy2, o.y);
  e.g_bounds = rounding_bounds(s.dtype, e.g, 1);
  e.gradient = reference::batch_norm_backward(s, c.training, e.g, o.sum, o.gamma, o.mean, o.rstd, o.addend);
  Values xhat_size(s.channels, 0.0);
  Values g_size(s.channels, 0.0);
  const auto size_of_xhat = [&](std::size_t i) {
    return (std::abs(o.sum[i]) + std::abs(o.mean[i % s.channels])) * o.rstd[i % s.channels];
  };
  const auto size_of_g = [&](std::size_t i) {
    const bool blocked = s.relu && !(o.y[i] > 0);
    return blocked ? 0 : std::abs(o.dy[i]) + (o.dy2.empty() ? 0 : std::abs(o.dy2[i]));
  };
  for (std::size_t i = 0; i < e.g.size(); ++i) {
    g_size[i % s.channels] += size_of_g(i);
    xhat_size[i % s.channels] += size_of_g(i) * size_of_xhat(i);
  }
  const double n = static_cast<double>(s.rows);
  // a kernel may read the gradient behind the ReLU back from where it stored it, rounded to the type
  const double stored = c.dresidual ? unit_roundoff(s.dtype) : 0;
  const double summing = sum_error(n + 4) + stored;
  for (int k = 0; k < s.channels; ++k) {
    e.bounds.dbeta.push_back(summing * g_size[k] + FLT_MIN);
    e.bounds.dgamma.push_back(summing * xhat_size[k] + FLT_MIN);
  }
  for (std::size_t i = 0; i < e.g.size(); ++i) {
    const std::size_t k = i % s.channels;
    const double scale = std::abs(o.gamma[k]) * o.rstd[k];
    double error = (8 * 0x1p-24 + stored) * scale * size_of_g(i);
    if (c.training) {
      error += scale * (summing + 8 * 0x1p-24) * (g_size[k] + size_of_xhat(i) * xhat_size[k]) / n;
    }
    if (c.addend) error += 2 * 0x1p-24 * std::abs(o.addend[i]);
    e.bounds.dx.push_back(error + unit_roundoff(s.dtype) * (std::abs(e.gradient.dx[i]) + error) + FLT_MIN);
  }
  return e;
}

}  // namespace retort::test
