// Losses as fused kernels: one pass over the logits gives the row losses, the participation mask and the gradient,
// which is delivered to the logits at once. Call Tape::backward() afterwards.
#pragma once

#include "engine/tape.h"
#include "kernels/distillation_loss.h"
#include "kernels/regulation.h"

namespace retort {

/// What the loss knows about each row of the batch, on the device.
struct RowReport {
  Tensor loss;          // (N) f32
  Tensor confidence;    // (N) f32
  Tensor correct;       // (N) i32
  Tensor participates;  // (N) i32
  Tensor error;         // (N) f32 what a regression's metric adds up; empty for classification
};

struct LossOptions {
  RegulationRule rule;
  float label_smoothing = 0;
  bool divide_by_participants = false;  ///< instead of StepState::divisor
};

/// Softmax cross-entropy under a participation rule. logits (N, C) f32, labels (N) i32, samples (N) i32.
/// A tape that does not record, or logits without requires_grad: scoring only.
RowReport regulated_cross_entropy(Tape& tape, const Var& logits, const Tensor& labels, const Tensor& samples,
                                  const StepState* state, const LossOptions& options);

struct DistillationReport {
  RowReport rows;
  Tensor cross_entropy;  // (N) f32
  Tensor divergence;     // (N) f32
};

/// Knowledge distillation under a participation rule; weights (N) f32 or the empty tensor for 1.
DistillationReport distillation_loss(Tape& tape, const Var& student, const Tensor& teacher, const Tensor& labels,
                                     const Tensor& samples, const Tensor& weights, const StepState* state,
                                     const LossOptions& options, const DistillationWeights& distillation);

/// Regression: mean squared error to targets (N, D) under a participation rule.
RowReport regulated_squared_error(Tape& tape, const Var& prediction, const Tensor& targets, const Tensor& samples,
                                  const StepState* state, const LossOptions& options);

struct GaussianReport {
  RowReport rows;
  Tensor square_error;  // (N) f32, mean over targets; of rows with no_label from the teacher's means
};

/// Gaussians for targets (N, D): student and teacher (N, 2 D), means and then log-variances. teacher empty: by target
/// alone. labels (N) i32 or empty: rows with no_label have no target. weights (N) f32 or empty for 1.
GaussianReport gaussian_loss(Tape& tape, const Var& student, const Tensor& teacher, const Tensor& targets,
                             const Tensor& labels, const Tensor& samples, const Tensor& weights, const StepState* state,
                             const LossOptions& options, float alpha);

/// (N) f32 degrees between the directions of outputs (N, 4) and targets (N, 2), or, of rows with no_label, the means of
/// teacher (N, 4). Where teacher is empty, such rows get 0. No gradient.
Tensor angular_error(Tape& tape, const Var& outputs, const Tensor& teacher, const Tensor& targets,
                     const Tensor& labels);

/// -log(1 - p_label + 1e-8) a row, 0 with no_label, (N) f32; delivers the gradient of their sum over `divisor` to
/// logits (N, C).
Tensor contrary_loss(Tape& tape, const Var& logits, const Tensor& labels, float divisor);

}  // namespace retort
