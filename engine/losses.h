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

}  // namespace retort
