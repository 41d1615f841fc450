#include "tests/simt/tensor_core.h"

#include <algorithm>
#include <cmath>

namespace simt {
namespace {

/// Towards zero, to 24 bits below 2^exponent.
double truncated(double value, int exponent) {
  return std::ldexp(std::trunc(std::ldexp(value, 24 - exponent)), exponent - 24);
}

int exponent_of(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return exponent;
}

}  // namespace

// Tensor cores multiply exactly, shift the addends to the largest one's exponent, drop what falls off, and do not round
// the sum to nearest (Fasi and others, Numerical behavior of NVIDIA tensor cores, PeerJ Computer Science 7:e330, 2021).
// Some keep a few bits more than are kept here.
float tensor_core_sum(float sum, const float (&left)[16], const float (&right)[16]) {
  for (int first = 0; first < 16; first += 8) {
    double addends[9] = {sum};
    double largest = std::abs(sum);
    for (int k = 0; k < 8; ++k) {
      addends[k + 1] = static_cast<double>(left[first + k]) * right[first + k];
      largest = std::max(largest, std::abs(addends[k + 1]));
    }
    double total = 0;
    if (std::isfinite(largest) && largest > 0) {
      const int exponent = exponent_of(largest);
      for (const double addend : addends) total += truncated(addend, exponent);
      total = truncated(total, exponent_of(total));
    } else {
      for (const double addend : addends) total += addend;
    }
    sum = static_cast<float>(total);
  }
  return sum;
}

}  // namespace simt
