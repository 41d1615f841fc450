// Optimizer: what happens between a finished backward pass and the next step: norm, verdict, update, commit.
#pragma once

#include <string>

#include "engine/losses.h"
#include "engine/parameters.h"
#include "kernels/commit.h"

namespace retort {

enum class OptimizerKind { sgd, adamw };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::sgd;
  bool nesterov = false;
  float beta1 = 0.9F, beta2 = 0.999F, epsilon = 1e-8F;  // AdamW

  Moments moments() const { return kind == OptimizerKind::adamw ? Moments::two : Moments::one; }
};

/// One optimizer step on all parameters of `store`, from the gradients the tape left there. Learning rate, momentum, decay
/// and clipping come from `state`, which also receives norm and verdict; `loss` (N) f32 has to be finite.
void optimizer_step(Context& context, ParameterStore& store, const OptimizerOptions& options, const Tensor& loss,
                    StepState* state);

}  // namespace retort
