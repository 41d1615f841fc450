// What the losses need to know about one row of logits, in double: a batch has few rows, and the difference of two
// nearly equal distributions has to survive.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/philox.h"
#include "kernels/regulation.h"

namespace retort::cpu {

/// Softmax of a row of logits over a temperature. Nothing overflows: exponents are relative to the largest logit.
class RowSoftmax {
 public:
  RowSoftmax(const float* logits, int classes, double temperature = 1.0)
      : logits_(logits), classes_(classes), inverse_(1.0 / temperature) {
    for (int c = 1; c < classes; ++c) {
      if (logits[c] > logits[top_]) top_ = c;
    }
    for (int c = 0; c < classes; ++c) {
      const double e = std::exp(relative(c));
      sum_ += e;
    }
    log_sum_ = std::log(sum_);
  }

  /// The lowest index of the largest logit; meaningless with a NaN in the row, which has_nan() tells.
  int top() const { return top_; }
  bool has_nan() const { return std::isnan(sum_); }
  int classes() const { return classes_; }

  double log_probability(int c) const { return relative(c) - log_sum_; }
  double probability(int c) const { return std::exp(relative(c)) / sum_; }

 private:
  double relative(int c) const { return (static_cast<double>(logits_[c]) - logits_[top_]) * inverse_; }

  const float* logits_;
  int classes_;
  double inverse_;
  int top_ = 0;
  double sum_ = 0;
  double log_sum_ = 0;
};

/// p log p, continued by 0 at 0; NaN stays.
inline double times_log(double p, double log_p) {
  return p == 0 ? 0.0 : p * log_p;
}

inline double confidence_of(const RowSoftmax& row, Confidence kind) {
  switch (kind) {
    case Confidence::max_probability:
      return row.probability(row.top());
    case Confidence::margin: {
      double second = 0;
      for (int c = 0; c < row.classes(); ++c) {
        if (c != row.top()) second = std::fmax(second, row.probability(c));
      }
      return row.probability(row.top()) - second;
    }
    case Confidence::entropy: {
      double negative_entropy = 0;
      for (int c = 0; c < row.classes(); ++c) {
        negative_entropy += times_log(row.probability(c), row.log_probability(c));
      }
      const double confidence = 1.0 + negative_entropy / std::log(static_cast<double>(row.classes()));
      return confidence < 0 ? 0.0 : confidence;  // a uniform row, off by a rounding
    }
  }
  return 0;
}

inline bool drawn_at_random(const StepState& state, std::int32_t sample) {
  const Philox4 words = philox(state.seed, Purpose::random_mask, static_cast<std::uint64_t>(sample), state.epoch, 0);
  return to_uniform(words.v[0]) < state.random_share;
}

/// Fills confidence, correct and participates of row i; the last is also returned. `target`: the label, or what stands
/// in for it where there is none.
inline bool judge_row(const RowSoftmax& row, const RegulationRule& rule, int i, std::int32_t label, std::int32_t target,
                      std::int32_t sample, const StepState& state, const LossRows& out) {
  const bool correct = !row.has_nan() && row.top() == target;
  const float confidence = static_cast<float>(confidence_of(row, rule.confidence));
  bool participates = true;
  if (rule.participation == Participation::regulated) {
    const bool wrong = row.has_nan() || (label != no_label && !correct);
    participates = wrong || confidence < state.confidence_threshold;
  } else if (rule.participation == Participation::random) {
    participates = drawn_at_random(state, sample);
  }
  out.confidence[i] = confidence;
  out.correct[i] = correct ? 1 : 0;
  out.participates[i] = participates ? 1 : 0;
  return participates;
}

}  // namespace retort::cpu
