// What the losses need to know about one row of logits, found out by one warp. A lane holds every 32nd logit in
// registers, so that a row is read once; kHeld = 0 stands for rows too long for that, which are read again each time.
#pragma once

#include <climits>
#include <cmath>

#include "kernels/cuda/warp.h"
#include "kernels/philox.h"
#include "kernels/regulation.h"

namespace retort::RETORT_CUDA_NAMESPACE {

template <int kHeld>
class RowLogits {
 public:
  __device__ RowLogits(const float* logits, int classes) : logits_(logits), classes_(classes) {
    if constexpr (kHeld > 0) {
#pragma unroll
      for (int j = 0; j < kHeld; ++j) held_[j] = at(j) < classes ? logits[at(j)] : 0.0F;
    }
  }

  /// Calls body(class, logit) for this lane's classes.
  template <typename Body>
  __device__ void each(const Body& body) const {
    if constexpr (kHeld > 0) {
#pragma unroll
      for (int j = 0; j < kHeld; ++j) {
        if (at(j) < classes_) body(at(j), held_[j]);
      }
    } else {
      for (int c = lane_number(); c < classes_; c += kWarp) body(c, logits_[c]);
    }
  }
  /// The same with the logit of another row of as many classes: body(class, logit, the other's).
  template <typename Body>
  __device__ void each_with(const RowLogits& other, const Body& body) const {
    if constexpr (kHeld > 0) {
#pragma unroll
      for (int j = 0; j < kHeld; ++j) {
        if (at(j) < classes_) body(at(j), held_[j], other.held_[j]);
      }
    } else {
      for (int c = lane_number(); c < classes_; c += kWarp) body(c, logits_[c], other.logits_[c]);
    }
  }
  /// Any logit, from memory.
  __device__ float operator[](int c) const {
    return logits_[c];
  }
  __device__ int classes() const {
    return classes_;
  }

 private:
  __device__ static int at(int j) {
    return lane_number() + j * kWarp;
  }

  const float* logits_;
  int classes_;
  float held_[kHeld > 0 ? kHeld : 1];
};

/// The largest logit; with a NaN in the row, meaningless.
template <int kHeld>
__device__ Top top_of(const RowLogits<kHeld>& row) {
  Top top{-INFINITY, INT_MAX};
  row.each([&](int c, float z) {
    if (z > top.value) top = {z, c};
  });
  return warp_top(top);
}

/// Softmax over a temperature. Nothing overflows: exponents are relative to the largest logit.
template <int kHeld>
class RowSoftmax {
 public:
  __device__ RowSoftmax(const RowLogits<kHeld>& row, const Top& top, float temperature = 1)
      : top_(top.value), inverse_(1.0F / temperature) {
    float sum = 0;
    row.each([&](int, float z) { sum += expf(relative(z)); });
    sum_ = warp_sum(sum);
    log_sum_ = logf(sum_);
  }

  __device__ bool has_nan() const { return isnan(sum_); }
  __device__ float log_probability(float z) const { return relative(z) - log_sum_; }
  __device__ float probability(float z) const { return expf(relative(z)) / sum_; }

 private:
  __device__ float relative(float z) const { return (z - top_) * inverse_; }

  float top_;
  float inverse_;
  float sum_;
  float log_sum_;
};

/// p log p, continued by 0 at 0; NaN stays.
__device__ inline float times_log(float p, float log_p) {
  return p == 0 ? 0.0F : p * log_p;
}

template <int kHeld>
__device__ float confidence_of(const RowLogits<kHeld>& row, const Top& top, const RowSoftmax<kHeld>& softmax,
                               Confidence kind) {
  if (kind == Confidence::max_probability) return softmax.probability(top.value);
  if (kind == Confidence::margin) {
    float second = -INFINITY;
    row.each([&](int c, float z) {
      if (c != top.index && z > second) second = z;
    });
    return softmax.probability(top.value) - softmax.probability(warp_max(second));
  }
  float negative_entropy = 0;
  row.each([&](int, float z) { negative_entropy += times_log(softmax.probability(z), softmax.log_probability(z)); });
  const float confidence = 1.0F + warp_sum(negative_entropy) / logf(static_cast<float>(row.classes()));
  return confidence < 0 ? 0.0F : confidence;  // a uniform row, off by a rounding
}

__device__ inline bool drawn_at_random(const StepState& state, std::int32_t sample) {
  const Philox4 words = philox(state.seed, Purpose::random_mask, static_cast<std::uint64_t>(sample), state.epoch, 0);
  return to_uniform(words.v[0]) < state.random_share;
}

/// Fills confidence, correct and participates of row i; the last is also returned, to all lanes. `target`: the label,
/// or what stands in for it where there is none.
template <int kHeld>
__device__ bool judge_row(const RowLogits<kHeld>& row, const Top& top, const RowSoftmax<kHeld>& softmax,
                          const RegulationRule& rule, int i, std::int32_t label, std::int32_t target,
                          std::int32_t sample, const StepState& state, const LossRows& out) {
  const bool correct = !softmax.has_nan() && top.index == target;
  const float confidence = confidence_of(row, top, softmax, rule.confidence);
  bool participates = true;
  if (rule.participation == Participation::regulated) {
    const bool wrong = softmax.has_nan() || (label != no_label && !correct);
    participates = wrong || confidence < state.confidence_threshold;
  } else if (rule.participation == Participation::random) {
    participates = drawn_at_random(state, sample);
  }
  if (lane_number() == 0) {
    out.confidence[i] = confidence;
    out.correct[i] = correct ? 1 : 0;
    out.participates[i] = participates ? 1 : 0;
  }
  return participates;
}

constexpr int kRowsPerBlock = 8;  ///< a warp each

/// Calls body(constant) with the number of registers that a lane needs for a row, or 0.
template <typename Body>
void with_held(int classes, const Body& body) {
  if (classes <= kWarp) return body(std::integral_constant<int, 1>{});
  if (classes <= 4 * kWarp) return body(std::integral_constant<int, 4>{});
  if (classes <= 32 * kWarp) return body(std::integral_constant<int, 32>{});
  body(std::integral_constant<int, 0>{});
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
