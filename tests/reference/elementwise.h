// Elementwise kernels by their definitions.
#pragma once

#include "tests/reference/philox.h"
#include "tests/reference/values.h"

namespace retort::reference {

inline Values relu_forward(Values x) {
  for (double& value : x) value = value > 0 ? value : 0;
  return x;
}

inline Values relu_backward(Values dy, const Values& y) {
  for (std::size_t i = 0; i < dy.size(); ++i) dy[i] = y[i] > 0 ? dy[i] : 0;
  return dy;
}

struct DropoutMask {
  float p = 0;
  std::uint32_t layer = 0, seed = 0, epoch = 0;

  bool keeps(std::uint64_t sample, std::uint32_t feature) const {
    const Counter words = random_words(seed, 4, sample, epoch, layer * (1U << 24) + feature / 4);
    return uniform(words[feature % 4]) >= p;
  }
};

inline Values dropout(const DropoutMask& mask, const Values& samples, const Values& x) {
  const std::size_t features = x.size() / samples.size();
  Values y(x.size(), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (mask.keeps(static_cast<std::uint64_t>(samples[i / features]), static_cast<std::uint32_t>(i % features)))
      y[i] = x[i] / (1 - static_cast<double>(mask.p));
  }
  return y;
}

}  // namespace retort::reference
