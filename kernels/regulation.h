// Self-regulation (arXiv:2102.07125): softmax cross-entropy, the participation mask and the masked gradient in one
// pass over the logits. A row takes part in the backward pass if it is misclassified or not confidently predicted:
//
//     participates = argmax(logits) != label  or  confidence(softmax(logits)) < tau
//
// arg-max is the lowest index among equals. A row with a logit that is NaN counts as misclassified. A row without a
// label (a mixture of samples) has no cross-entropy and cannot be misclassified: it participates where it is not
// confident.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

/// In place of a label.
constexpr std::int32_t no_label = -1;

/// How sure the network is of its prediction, in [0, 1], always at temperature 1.
enum class Confidence : std::uint8_t {
  max_probability,  ///< max_c p_c
  margin,           ///< p of the first minus p of the second
  entropy           ///< 1 - H(p) / log(classes)
};

/// Which rows enter the backward pass.
enum class Participation : std::uint8_t {
  all,        ///< conventional training
  regulated,  ///< the rule above, tau = StepState::confidence_threshold
  random      ///< control: uniform(seed, random_mask; sample, epoch) < StepState::random_share
};

struct RegulationRule {
  Participation participation = Participation::all;
  Confidence confidence = Confidence::max_probability;
};

/// Per-row results of a loss kernel. None may be null.
struct LossRows {
  float* loss = nullptr;                 // (N) before the mask, before the divisor; weighted where there are weights
  float* confidence = nullptr;           // (N)
  std::int32_t* correct = nullptr;       // (N) 1 where arg-max equals the label, or, of no_label, the
                                         // teacher's arg-max; 0 of no_label without a teacher
  std::int32_t* participates = nullptr;  // (N) 1 where the row enters the backward pass
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// loss = -(1 - smoothing) log p_label - smoothing mean_c log p_c; gradient = participates (p - target) / divisor.
  void regulated_cross_entropy(const Launch& launch, const RegulationRule& rule, int rows, int classes,
                               float label_smoothing,
                               const float* logits,           // (N, C)
                               const std::int32_t* labels,    // (N)
                               const std::int32_t* samples,   // (N) indices into the data set
                               const StepState* state, const LossRows& out,
                               float* dlogits);               // (N, C), overwritten; null: scoring only

  /// Divides the gradient by the number of participants instead: dlogits *= divisor / max(1, participants).
  void divide_by_participants(const Launch& launch, int rows, int classes, const std::int32_t* participates,
                              const StepState* state, float* dlogits);
)
// clang-format on
