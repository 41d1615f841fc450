// Error bounds that follow from the arithmetic, and the comparison against them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <functional>
#include <string>

#include "kernels/types.h"
#include "tests/reference/values.h"

namespace retort::test {

using reference::Values;

/// Relative error of one rounding to nearest: 24 and 8 bits of significand.
constexpr double unit_roundoff(DType dtype) {
  return dtype == DType::bf16 ? 0x1p-8 : 0x1p-24;
}

/// Relative to the sum of magnitudes: the error of an fp32 sum of n products in any order. n u always holds; 8 sqrt(n)
/// u holds with probability 1 - 2 n exp(-32) (Higham and Mary, SIAM J. Sci. Comput. 41, 2019, theorem 3.1).
inline double sum_error(double terms) {
  return (std::min(terms, 8 * std::sqrt(terms)) + 2) * 0x1p-24;
}

/// Bounds for results that are sums of `terms` products: magnitude is the same sum with absolute values, and the result
/// is rounded once to the type.
inline Values sum_bounds(DType dtype, const Values& expected, const Values& magnitude, double terms) {
  Values bounds(expected.size());
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double error = sum_error(terms) * magnitude[i];
    bounds[i] = error + unit_roundoff(dtype) * (std::abs(expected[i]) + error) + FLT_MIN;
  }
  return bounds;
}

/// Bounds for a few roundings of fp32 on top of one to the type.
inline Values rounding_bounds(DType dtype, const Values& expected, double roundings) {
  Values bounds(expected.size());
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    bounds[i] = std::abs(expected[i]) * (roundings * 0x1p-24 + unit_roundoff(dtype) * 1.0001) + FLT_MIN;
  }
  return bounds;
}

inline Values absolute(Values values) {
  for (double& value : values) value = std::abs(value);
  return values;
}

/// |a - b| / |b|, both Euclidean norms.
inline double relative_distance(const Values& a, const Values& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference) / std::max(std::sqrt(norm), DBL_MIN);
}

/// Every entry within its bound; NaN only where NaN is expected.
inline void check_within(const std::string& what, const Values& actual, const Values& expected, const Values& bounds) {
  REQUIRE(actual.size() == expected.size());
  REQUIRE(bounds.size() == expected.size());
  std::size_t failures = 0;
  std::size_t worst = 0;
  double worst_ratio = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double ratio = std::abs(actual[i] - expected[i]) / bounds[i];
    if (actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i]))) ratio = 0;
    if (std::isnan(ratio)) ratio = HUGE_VAL;
    failures += ratio > 1 ? 1 : 0;
    if (ratio > worst_ratio) {
      worst_ratio = ratio;
      worst = i;
    }
  }
  const bool good = failures == 0;
  CHECK_MESSAGE(good, what << ": " << failures << " of " << expected.size() << " out of bounds, worst [" << worst
                           << "] is " << actual[worst] << ", expected " << expected[worst] << " within "
                           << bounds[worst]);
}

inline void check_within(const std::string& what, const Values& actual, const Values& expected, double bound) {
  check_within(what, actual, expected, Values(expected.size(), bound));
}

/// Equal in every entry, NaN equal to NaN.
inline void check_equal(const std::string& what, const Values& actual, const Values& expected) {
  check_within(what, actual, expected, Values(expected.size(), 0x1p-1000));
}

/// Central differences of a scalar function at x.
inline Values finite_differences(const std::function<double(const Values&)>& function, Values x, double step = 1e-5) {
  Values gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double centre = x[i];
    x[i] = centre + step;
    const double above = function(x);
    x[i] = centre - step;
    gradient[i] = (above - function(x)) / (2 * step);
    x[i] = centre;
  }
  return gradient;
}

/// A scalar whose gradient with respect to `values` is `weights`.
inline double dot(const Values& values, const Values& weights) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * weights[i];
  return sum;
}

}  // namespace retort::test
