// Fully connected layer by its definition.
#pragma once

#include "kernels/linear.h"
#include "tests/reference/values.h"

namespace retort::reference {

inline Values linear_forward(const LinearShape& s, const Values& x, const Values& weight, const Values& bias) {
  Values y(static_cast<std::size_t>(s.batch) * s.out_features, 0.0);
  for (int n = 0; n < s.batch; ++n)
    for (int o = 0; o < s.out_features; ++o) {
      double sum = bias.empty() ? 0.0 : bias[o];
      for (int i = 0; i < s.in_features; ++i) sum += x[n * s.in_features + i] * weight[o * s.in_features + i];
      y[n * s.out_features + o] = sum;
    }
  return y;
}

inline Values linear_backward_data(const LinearShape& s, const Values& dy, const Values& weight) {
  Values dx(static_cast<std::size_t>(s.batch) * s.in_features, 0.0);
  for (int n = 0; n < s.batch; ++n)
    for (int o = 0; o < s.out_features; ++o)
      for (int i = 0; i < s.in_features; ++i)
        dx[n * s.in_features + i] += dy[n * s.out_features + o] * weight[o * s.in_features + i];
  return dx;
}

inline Values linear_backward_weight(const LinearShape& s, const Values& x, const Values& dy) {
  Values dweight(static_cast<std::size_t>(s.out_features) * s.in_features, 0.0);
  for (int n = 0; n < s.batch; ++n)
    for (int o = 0; o < s.out_features; ++o)
      for (int i = 0; i < s.in_features; ++i)
        dweight[o * s.in_features + i] += dy[n * s.out_features + o] * x[n * s.in_features + i];
  return dweight;
}

inline Values linear_backward_bias(const LinearShape& s, const Values& dy) {
  Values dbias(s.out_features, 0.0);
  for (int n = 0; n < s.batch; ++n)
    for (int o = 0; o < s.out_features; ++o) dbias[o] += dy[n * s.out_features + o];
  return dbias;
}

}  // namespace retort::reference
