// Deterministic operands, the same on every machine.
#pragma once

#include <cmath>

#include "kernels/philox.h"
#include "kernels/types.h"
#include "tests/reference/values.h"

namespace retort::test {

using reference::Values;

/// The nearest value of the element type.
inline double round_to(DType dtype, double value) {
  const float single = static_cast<float>(value);
  return dtype == DType::bf16 ? static_cast<float>(bfloat16(single)) : single;
}

/// Uniform in [low, high), rounded to the type. Two streams have nothing in common.
inline Values random_values(std::size_t count, std::uint32_t stream, DType dtype = DType::f32, double low = -1,
                            double high = 1) {
  Values values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double u = to_uniform(philox(stream, Purpose::synthetic, i, 0, 0).v[0]);
    values[i] = round_to(dtype, low + (high - low) * u);
  }
  return values;
}

/// Standard normal values times deviation plus mean (Box and Muller), rounded to the type.
inline Values normal_values(std::size_t count, std::uint32_t stream, DType dtype = DType::f32, double mean = 0,
                            double deviation = 1) {
  Values values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Philox4 bits = philox(stream, Purpose::synthetic, i, 1, 0);
    const double radius = std::sqrt(-2 * std::log(1 - static_cast<double>(to_uniform(bits.v[0]))));
    values[i] = round_to(dtype, mean + deviation * radius * std::cos(6.283185307179586 * to_uniform(bits.v[1])));
  }
  return values;
}

/// Uniform integers in [0, below).
inline Values random_integers(std::size_t count, std::uint32_t stream, std::uint32_t below) {
  Values values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = to_below(philox(stream, Purpose::synthetic, i, 2, 0).v[0], below);
  return values;
}

}  // namespace retort::test
