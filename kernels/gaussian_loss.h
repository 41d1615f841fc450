// Regression with a Gaussian for each target: an output row is D means, then D log-variances. By label a negative
// log-likelihood (Nix and Weigend 1994), by teacher the divergence of two Gaussians (XCL, arXiv:2007.00051):
//
//     nll(i) = mean_d 1/2 [ v + (t - m)^2 / e^v ]                              without the constant 1/2 log 2 pi
//     kl(i)  = mean_d 1/2 [ v_s - v_t - 1 + (e^v_t + (m_t - m_s)^2) / e^v_s ]   KL(teacher || student)
//     loss(i) = w(i) [ (1 - alpha) nll(i) + alpha kl(i) ]
//
// Of a mixture (labels[i] == no_label) nll is 0. What has weight 0, by alpha, is left out even where it is infinite.
#pragma once

#include "kernels/regulation.h"

// clang-format off
RETORT_KERNELS(
  /// Participation: regulated means that the predicted deviation sqrt(mean_d e^v), or the error sqrt(mean_d (t - m)^2)
  /// of what has a target, is >= StepState::confidence_threshold. out.confidence holds minus the deviation; out.correct
  /// is 0.
  void gaussian_loss(const Launch& launch, const RegulationRule& rule, float alpha, int rows, int dimensions,
                     const float* student,          // (N, 2 D)
                     const float* teacher,          // (N, 2 D), or null: alpha is 0
                     const float* targets,          // (N, D)
                     const std::int32_t* labels,    // (N) no_label or anything else, or null: all have targets
                     const std::int32_t* samples,   // (N)
                     const float* weights,          // (N) or null for 1
                     const StepState* state, const LossRows& out,
                     float* square_error,           // (N) mean_d (t - m)^2, of a mixture with m_t as t, or null
                     float* dstudent);              // (N, 2 D), overwritten; null: scoring only

  /// Degrees between the directions that means and targets, pitch and yaw in radians, stand for. A mixture's target is
  /// the teacher's mean; without a teacher it gets 0.
  void angular_error(const Launch& launch, int rows,
                     const float* outputs,          // (N, 4): two means, two log-variances
                     const float* teacher,          // (N, 4), or null: mixtures get 0
                     const float* targets,          // (N, 2)
                     const std::int32_t* labels,    // (N), as above
                     float* degrees);               // (N)
)
// clang-format on
