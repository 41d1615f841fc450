// The inner loops of batch normalisation over `width` neighbouring elements. Coefficients are arrays of that width.
// No pointer is __restrict: outputs may be the very tensors that are read, element by element.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/cpu/convert.h"

namespace retort::cpu {

/// first += d, second += d^2 with d = x + x2 - shift, over kRows wide rows.
template <int kRows, bool kPair, typename T>
inline void add_statistics(const T* x, const T* x2, T* sum, std::int64_t width, const float* shift, float* first,
                           float* second) {
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
    float d_sum = 0;
    float square_sum = 0;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t i = r * width + j;
      float value = widen(x[i]);
      if constexpr (kPair) {
        // The statistics are those of what is stored, which the normalisation reads back.
        value = rounded<T>(value + widen(x2[i]));
        sum[i] = narrow_rounded<T>(value);
      }
      const float d = value - shift[j];
      d_sum += d;
      square_sum += d * d;
    }
    first[j] += d_sum;
    second[j] += square_sum;
  }
}

/// y = relu?((x + x2 - mean) scale + offset + residual)
template <int kRows, bool kPair, bool kResidual, bool kRelu, typename T>
inline void normalise(const T* x, const T* x2, T* sum, const T* residual, T* y, std::int64_t width, const float* mean,
                      const float* scale, const float* offset) {
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t i = r * width + j;
      float value = widen(x[i]);
      if constexpr (kPair) {
        value = rounded<T>(value + widen(x2[i]));
        sum[i] = narrow_rounded<T>(value);
      }
      value = (value - mean[j]) * scale[j] + offset[j];
      if constexpr (kResidual) value += widen(residual[i]);
      if constexpr (kRelu) value = value < 0 ? 0.0F : value;  // NaN stays
      y[i] = narrow<T>(value);
    }
  }
}

/// The gradient behind the ReLU.
template <bool kPair, bool kRelu, typename T>
inline float gradient_at(const T* dy, const T* dy2, const T* y, std::int64_t i) {
  float g = widen(dy[i]);
  if constexpr (kPair) g += widen(dy2[i]);
  // By bits, since a condition would make compilers load dy conditionally, which AVX2 cannot.
  if constexpr (kRelu)
    g = std::bit_cast<float>(std::bit_cast<std::int32_t>(g) & -static_cast<int>(!(widen(y[i]) <= 0)));
  return g;
}

/// first += g, second += g (x - mean); dresidual = g if kStore.
template <int kRows, bool kPair, bool kRelu, bool kStore, typename T>
inline void add_gradients(const T* dy, const T* dy2, const T* y, const T* x, T* dresidual, std::int64_t width,
                          const float* mean, float* first, float* second) {
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
    float g_sum = 0;
    float product_sum = 0;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t i = r * width + j;
      float g = gradient_at<kPair, kRelu>(dy, dy2, y, i);
      if constexpr (kStore) {
        g = rounded<T>(g);  // dx is computed from what is stored
        dresidual[i] = narrow_rounded<T>(g);
      }
      g_sum += g;
      product_sum += g * (widen(x[i]) - mean[j]);
    }
    first[j] += g_sum;
    second[j] += product_sum;
  }
}

/// dx = scale g + (x - mean) slope + offset + addend; without kTraining the two middle terms are absent.
template <int kRows, bool kPair, bool kRelu, bool kTraining, bool kAddend, typename T>
inline void input_gradient(const T* dy, const T* dy2, const T* y, const T* x, const T* addend, T* dx,
                           std::int64_t width, const float* mean, const float* scale, const float* slope,
                           const float* offset) {
#pragma omp simd
  for (std::int64_t j = 0; j < width; ++j) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t i = r * width + j;
      float value = scale[j] * gradient_at<kPair, kRelu>(dy, dy2, y, i);
      if constexpr (kTraining) value += (widen(x[i]) - mean[j]) * slope[j] + offset[j];
      if constexpr (kAddend) value += widen(addend[i]);
      dx[i] = narrow<T>(value);
    }
  }
}

}  // namespace retort::cpu
