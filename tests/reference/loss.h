// Row losses by their definitions: cross-entropy, distillation, squared error; confidence and participation.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/distillation_loss.h"
#include "kernels/regulation.h"
#include "tests/reference/philox.h"
#include "tests/reference/values.h"

namespace retort::reference {

/// log softmax(logits / temperature) of one row.
inline Values log_softmax(Values z, double temperature = 1) {
  double largest = -HUGE_VAL;
  for (double& value : z) {
    value /= temperature;
    largest = std::max(largest, value);
  }
  double sum = 0;
  for (const double value : z) sum += std::exp(value - largest);
  for (double& value : z) value -= largest + std::log(sum);
  return z;
}

inline Values softmax(const Values& z, double temperature = 1) {
  Values p = log_softmax(z, temperature);
  for (double& value : p) value = std::exp(value);
  return p;
}

inline bool has_nan(const Values& z) {
  return std::any_of(z.begin(), z.end(), [](double value) { return std::isnan(value); });
}

/// 1 where the lowest index among the largest logits is the label; a row with NaN is misclassified.
inline bool is_correct(const Values& z, int label) {
  return !has_nan(z) && std::max_element(z.begin(), z.end()) - z.begin() == label;
}

inline double confidence(Confidence measure, const Values& z) {
  const Values log_p = log_softmax(z);
  Values p = softmax(z);
  if (measure == Confidence::entropy) {
    double entropy = 0;
    for (std::size_t c = 0; c < p.size(); ++c) entropy -= p[c] > 0 ? p[c] * log_p[c] : 0;
    return 1 - entropy / std::log(static_cast<double>(p.size()));
  }
  std::sort(p.rbegin(), p.rend());
  return measure == Confidence::margin ? p[0] - p[1] : p[0];
}

/// `certain` is what the rule compares with tau.
inline bool participates(const RegulationRule& rule, const StepState& state, std::uint64_t sample, bool correct,
                         double certain) {
  if (rule.participation == Participation::all) return true;
  if (rule.participation == Participation::random)
    return uniform(random_words(state.seed, 5, sample, state.epoch, 0)[0]) < state.random_share;
  return !correct || certain < state.confidence_threshold;
}

/// One row's loss and its gradient with respect to the logits, before mask, weight and divisor.
struct RowLoss {
  double loss = 0;
  Values gradient;
  double cross_entropy = 0, divergence = 0;
};

inline RowLoss cross_entropy(const Values& z, int label, double smoothing) {
  const Values log_p = log_softmax(z);
  const double classes = static_cast<double>(z.size());
  RowLoss row;
  for (int c = 0; c < static_cast<int>(z.size()); ++c) {
    const double target = smoothing / classes + (c == label ? 1 - smoothing : 0);
    row.loss -= target > 0 ? target * log_p[c] : 0;
    row.gradient.push_back(std::exp(log_p[c]) - target);
  }
  row.cross_entropy = row.loss;
  return row;
}

inline RowLoss distillation(const Values& student, const Values& teacher, int label, double alpha, double temperature) {
  RowLoss row = cross_entropy(student, label, 0);
  const Values log_s = log_softmax(student, temperature);
  const Values log_t = log_softmax(teacher, temperature);
  for (std::size_t c = 0; c < student.size(); ++c) {
    const double p = std::exp(log_t[c]);
    row.divergence += p > 0 ? p * (log_t[c] - log_s[c]) : 0;
    row.gradient[c] = (1 - alpha) * row.gradient[c] + alpha * temperature * (std::exp(log_s[c]) - p);
  }
  row.loss = (1 - alpha) * row.cross_entropy + alpha * temperature * temperature * row.divergence;
  return row;
}

inline RowLoss squared_error(const Values& prediction, const Values& target) {
  const double dimensions = static_cast<double>(target.size());
  RowLoss row;
  for (std::size_t d = 0; d < target.size(); ++d) {
    const double error = prediction[d] - target[d];
    row.loss += error * error / dimensions;
    row.gradient.push_back(2 * error / dimensions);
  }
  return row;
}

/// Means, then log-variances. Without a target `target` is empty, without a teacher `teacher` is.
inline RowLoss gaussian(const Values& student, const Values& teacher, const Values& target, double alpha) {
  const std::size_t dimensions = student.size() / 2;
  RowLoss row;
  row.gradient.assign(student.size(), 0.0);
  const double by_teacher = teacher.empty() ? 0 : alpha, by_target = target.empty() ? 0 : 1 - by_teacher;
  for (std::size_t d = 0; d < dimensions; ++d) {
    const double mean = student[d], variance = std::exp(student[dimensions + d]);
    if (!target.empty()) {
      const double error = target[d] - mean;
      row.loss += by_target * (std::log(variance) + error * error / variance) / 2;
      row.gradient[d] += by_target * -error / variance;
      row.gradient[dimensions + d] += by_target * (1 - error * error / variance) / 2;
    }
    if (!teacher.empty()) {
      const double distance = teacher[d] - mean, from = std::exp(teacher[dimensions + d]);
      row.loss += by_teacher * (std::log(variance / from) / 2 + (from + distance * distance) / (2 * variance) - 0.5);
      row.gradient[d] += by_teacher * -distance / variance;
      row.gradient[dimensions + d] += by_teacher * (0.5 - (from + distance * distance) / (2 * variance));
    }
  }
  row.loss /= static_cast<double>(dimensions);
  for (double& value : row.gradient) value /= static_cast<double>(dimensions);
  return row;
}

}  // namespace retort::reference
