// The optimizers and the bookkeeping of a step by their definitions.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/step_state.h"
#include "tests/reference/values.h"

namespace retort::reference {

inline void sgd(Values& w, Values& buffer, const Values& gradient, const StepState& s, double momentum, bool nesterov) {
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double g = s.gradient_scale * gradient[i] + s.weight_decay * w[i];
    buffer[i] = momentum * buffer[i] + g;
    w[i] -= s.learning_rate * (nesterov ? g + momentum * buffer[i] : buffer[i]);
  }
}

inline void adamw(Values& w, Values& first, Values& second, const Values& gradient, const StepState& s, double beta1,
                  double beta2, double epsilon) {
  const double step = static_cast<double>(s.step + 1);
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double g = s.gradient_scale * gradient[i];
    first[i] = beta1 * first[i] + (1 - beta1) * g;
    second[i] = beta2 * second[i] + (1 - beta2) * g * g;
    const double mhat = first[i] / (1 - std::pow(beta1, step));
    const double vhat = second[i] / (1 - std::pow(beta2, step));
    w[i] -= s.learning_rate * s.weight_decay * w[i];
    w[i] -= s.learning_rate * mhat / (std::sqrt(vhat) + epsilon);
  }
}

inline double square_sum(const Values& gradient) {
  double sum = 0;
  for (const double g : gradient) sum += g * g;
  return sum;
}

}  // namespace retort::reference
