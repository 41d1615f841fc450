// Batch normalisation by its definition, every optional operand an empty vector when absent.
#pragma once

#include <cmath>

#include "kernels/batch_norm.h"
#include "tests/reference/values.h"

namespace retort::reference {

struct Statistics {
  Values mean, variance;  // biased
};

inline Statistics batch_statistics(const BatchNormShape& s, const Values& sum) {
  const double n = static_cast<double>(s.rows);
  Statistics result{Values(s.channels, 0.0), Values(s.channels, 0.0)};
  for (std::size_t i = 0; i < sum.size(); ++i) result.mean[i % s.channels] += sum[i] / n;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const double centred = sum[i] - result.mean[i % s.channels];
    result.variance[i % s.channels] += centred * centred / n;
  }
  return result;
}

inline Values added(Values a, const Values& b) {
  for (std::size_t i = 0; i < b.size(); ++i) a[i] += b[i];
  return a;
}

inline Values reciprocal_deviation(const Values& variance, double epsilon) {
  Values rstd;
  for (const double v : variance) rstd.push_back(1 / std::sqrt(v + epsilon));
  return rstd;
}

inline Values batch_norm_forward(const BatchNormShape& s, const Values& sum, const Values& mean, const Values& rstd,
                                 const Values& gamma, const Values& beta, const Values& residual) {
  Values y(sum.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t c = i % s.channels;
    y[i] = gamma[c] * (sum[i] - mean[c]) * rstd[c] + beta[c] + (residual.empty() ? 0 : residual[i]);
    if (s.relu && y[i] < 0) y[i] = 0;
  }
  return y;
}

/// running = (1 - momentum) running + momentum batch, with the unbiased variance.
inline void update_running(const BatchNormShape& s, const Statistics& batch, Values& mean, Values& variance) {
  const double n = static_cast<double>(s.rows);
  for (int c = 0; c < s.channels; ++c) {
    mean[c] += s.momentum * (batch.mean[c] - mean[c]);
    variance[c] += s.momentum * (batch.variance[c] * n / (n - 1) - variance[c]);
  }
}

/// The gradient behind the ReLU.
inline Values behind_relu(const BatchNormShape& s, const Values& dy, const Values& dy2, const Values& y) {
  Values g = added(dy, dy2);
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (s.relu && !(y[i] > 0)) g[i] = 0;
  }
  return g;
}

struct BatchNormGradient {
  Values dx, dgamma, dbeta;
};

/// g is the gradient behind the ReLU.
inline BatchNormGradient batch_norm_backward(const BatchNormShape& s, bool training, const Values& g, const Values& sum,
                                             const Values& gamma, const Values& mean, const Values& rstd,
                                             const Values& addend) {
  BatchNormGradient result{Values(g.size()), Values(s.channels, 0.0), Values(s.channels, 0.0)};
  for (std::size_t i = 0; i < g.size(); ++i) {
    const std::size_t c = i % s.channels;
    result.dbeta[c] += g[i];
    result.dgamma[c] += g[i] * (sum[i] - mean[c]) * rstd[c];
  }
  const double n = static_cast<double>(s.rows);
  for (std::size_t i = 0; i < g.size(); ++i) {
    const std::size_t c = i % s.channels;
    const double xhat = (sum[i] - mean[c]) * rstd[c];
    const double projected = training ? g[i] - result.dbeta[c] / n - xhat * result.dgamma[c] / n : g[i];
    result.dx[i] = gamma[c] * rstd[c] * projected + (addend.empty() ? 0 : addend[i]);
  }
  return result;
}

}  // namespace retort::reference
