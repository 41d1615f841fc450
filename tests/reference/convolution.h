// 2-d convolution by its definition.
#pragma once

#include "kernels/convolution.h"
#include "tests/reference/values.h"

namespace retort::reference {

/// Calls visit(y index, x index, weight index) for every product a convolution consists of.
template <typename Visit>
void each_product(const Conv2dShape& s, const Visit& visit) {
  for (int n = 0; n < s.batch; ++n)
    for (int p = 0; p < s.out_height(); ++p)
      for (int q = 0; q < s.out_width(); ++q)
        for (int k = 0; k < s.out_channels; ++k)
          for (int r = 0; r < s.kernel_h; ++r)
            for (int t = 0; t < s.kernel_w; ++t) {
              const int h = p * s.stride + r - s.padding;
              const int w = q * s.stride + t - s.padding;
              if (h < 0 || h >= s.height || w < 0 || w >= s.width) continue;
              for (int c = 0; c < s.in_channels; ++c) {
                visit(((n * s.out_height() + p) * s.out_width() + q) * s.out_channels + k,
                      ((n * s.height + h) * s.width + w) * s.in_channels + c,
                      ((k * s.kernel_h + r) * s.kernel_w + t) * s.in_channels + c);
              }
            }
}

inline std::size_t input_count(const Conv2dShape& s) {
  return static_cast<std::size_t>(s.batch) * s.height * s.width * s.in_channels;
}
inline std::size_t weight_count(const Conv2dShape& s) {
  return static_cast<std::size_t>(s.out_channels) * s.kernel_h * s.kernel_w * s.in_channels;
}
inline std::size_t output_count(const Conv2dShape& s) {
  return static_cast<std::size_t>(s.batch) * s.out_height() * s.out_width() * s.out_channels;
}

/// An empty bias means none.
inline Values conv2d_forward(const Conv2dShape& s, const Values& x, const Values& weight, const Values& bias) {
  Values y(output_count(s), 0.0);
  if (!bias.empty()) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = bias[i % s.out_channels];
  }
  each_product(s, [&](int i, int j, int k) { y[i] += x[j] * weight[k]; });
  return y;
}

inline Values conv2d_backward_data(const Conv2dShape& s, const Values& dy, const Values& weight) {
  Values dx(input_count(s), 0.0);
  each_product(s, [&](int i, int j, int k) { dx[j] += dy[i] * weight[k]; });
  return dx;
}

inline Values conv2d_backward_weight(const Conv2dShape& s, const Values& x, const Values& dy) {
  Values dweight(weight_count(s), 0.0);
  each_product(s, [&](int i, int j, int k) { dweight[k] += dy[i] * x[j]; });
  return dweight;
}

inline Values conv2d_backward_bias(const Conv2dShape& s, const Values& dy) {
  Values dbias(s.out_channels, 0.0);
  for (std::size_t i = 0; i < dy.size(); ++i) dbias[i % s.out_channels] += dy[i];
  return dbias;
}

}  // namespace retort::reference
