// The weighted, regulated distillation loss (Hinton et al., arXiv:1503.02531; weights and mask as arXiv:2102.07125):
//
//     kd(i)   = (1 - alpha) CE(z_s, y) + alpha T^2 KL(softmax(z_t / T) || softmax(z_s / T))
//     loss(i) = w(i) kd(i)
//     dz_s(i) = participates(i) w(i) [ (1 - alpha) (p_s - onehot) + alpha T (p_s^T - p_t^T) ] / divisor
//
// Participation is decided by the student's logits at temperature 1, as in regulation.h. Of a row without a label,
// CE is 0.
#pragma once

#include "kernels/regulation.h"

namespace retort {

struct DistillationWeights {
  float alpha = 0.9F;
  float temperature = 4.0F;
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  void distillation_loss(const Launch& launch, const RegulationRule& rule, const DistillationWeights& distillation,
                         int rows, int classes,
                         const float* student_logits,   // (N, C)
                         const float* teacher_logits,   // (N, C)
                         const std::int32_t* labels,    // (N)
                         const std::int32_t* samples,   // (N)
                         const float* weights,          // (N) or null for 1
                         const StepState* state, const LossRows& out,
                         float* cross_entropy,          // (N) unweighted part, or null
                         float* divergence,             // (N) unweighted KL (without T^2), or null
                         float* dlogits);               // (N, C), overwritten; null: scoring only
)
// clang-format on
