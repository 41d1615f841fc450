// The loss that wants a network to be wrong: what a learned augmentation asks of the student (TST, arXiv:2212.05422,
// stage II).
//
//     loss(i) = -log(1 - p_label + 1e-8)      p = softmax(logits)
//
// In the published code's form; where p_label is 1 the gradient stays finite by the constant. A row with no_label,
// which cannot be wrong, has loss and gradient 0.
#pragma once

#include "kernels/regulation.h"

// clang-format off
RETORT_KERNELS(
  void contrary_loss(const Launch& launch, int rows, int classes,
                     const float* logits,         // (N, C)
                     const std::int32_t* labels,  // (N) or no_label
                     float divisor,               // of the summed loss
                     float* loss,                 // (N) before the divisor
                     float* dlogits);             // (N, C), overwritten; null: the loss alone
)
// clang-format on
