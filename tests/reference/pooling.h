// Pooling by its definition.
#pragma once

#include <cmath>

#include "kernels/pooling.h"
#include "tests/reference/values.h"

namespace retort::reference {

/// Calls visit(y index, x index) for every element of every window, windows and their elements in row-major order.
template <typename Visit>
void each_window_element(const Pool2dShape& s, const Visit& visit) {
  for (int n = 0; n < s.batch; ++n)
    for (int p = 0; p < s.out_height(); ++p)
      for (int q = 0; q < s.out_width(); ++q)
        for (int c = 0; c < s.channels; ++c)
          for (int r = 0; r < s.kernel; ++r)
            for (int t = 0; t < s.kernel; ++t)
              visit(((n * s.out_height() + p) * s.out_width() + q) * s.channels + c,
                    ((n * s.height + p * s.stride + r) * s.width + q * s.stride + t) * s.channels + c);
}

inline std::size_t input_count(const Pool2dShape& s) {
  return static_cast<std::size_t>(s.batch) * s.height * s.width * s.channels;
}
inline std::size_t output_count(const Pool2dShape& s) {
  return static_cast<std::size_t>(s.batch) * s.out_height() * s.out_width() * s.channels;
}

/// The index each window takes its value from: the first maximum, the first NaN before everything.
inline std::vector<int> winners(const Pool2dShape& s, const Values& x) {
  std::vector<int> winner(output_count(s), -1);
  each_window_element(s, [&](int i, int j) {
    int& best = winner[i];
    if (best < 0 || (!std::isnan(x[best]) && (std::isnan(x[j]) || x[j] > x[best]))) best = j;
  });
  return winner;
}

inline Values max_pool2d_forward(const Pool2dShape& s, const Values& x) {
  Values y;
  for (const int j : winners(s, x)) y.push_back(x[j]);
  return y;
}

inline Values max_pool2d_backward(const Pool2dShape& s, const Values& x, const Values& dy) {
  Values dx(input_count(s), 0.0);
  const std::vector<int> winner = winners(s, x);
  for (std::size_t i = 0; i < dy.size(); ++i) dx[winner[i]] += dy[i];
  return dx;
}

inline Values avg_pool2d_forward(const Pool2dShape& s, const Values& x) {
  Values y(output_count(s), 0.0);
  each_window_element(s, [&](int i, int j) { y[i] += x[j] / (s.kernel * s.kernel); });
  return y;
}

inline Values avg_pool2d_backward(const Pool2dShape& s, const Values& dy) {
  Values dx(input_count(s), 0.0);
  each_window_element(s, [&](int i, int j) { dx[j] += dy[i] / (s.kernel * s.kernel); });
  return dx;
}

inline Values global_avg_pool_forward(int batch, int positions, int channels, const Values& x) {
  Values y(static_cast<std::size_t>(batch) * channels, 0.0);
  for (int n = 0; n < batch; ++n)
    for (int p = 0; p < positions; ++p)
      for (int c = 0; c < channels; ++c) y[n * channels + c] += x[(n * positions + p) * channels + c] / positions;
  return y;
}

inline Values global_avg_pool_backward(int batch, int positions, int channels, const Values& dy) {
  Values dx(static_cast<std::size_t>(batch) * positions * channels);
  for (int n = 0; n < batch; ++n)
    for (int p = 0; p < positions; ++p)
      for (int c = 0; c < channels; ++c) dx[(n * positions + p) * channels + c] = dy[n * channels + c] / positions;
  return dx;
}

}  // namespace retort::reference
