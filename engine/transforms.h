// What learned augmentation draws for a batch, on the tape (kernels/transform_draws.h has the formulas). The scalars
// and vectors that are trained are parameters.
#pragma once

#include <vector>

#include "engine/tape.h"
#include "kernels/transform_draws.h"

namespace retort {

struct DrawnTransforms {
  Var share;                  ///< (K, N) f32
  std::vector<Var> features;  ///< of each transform (N, L_k + 1) f32: what its encoder reads; null where it has none
};

/// For `rows` images. probabilities (T), magnitudes (M) and what the encoders have learned, (L_k) or null, all f32.
/// `deviation`: of the noise on the latter. Gradients to all of them.
DrawnTransforms draw_transforms(Tape& tape, const TransformDraws& draws, int rows, const Var& probabilities,
                                const Var& magnitudes, const std::vector<Var>& learned, float deviation,
                                const StepState* state);

/// The same for given strengths (N) f32 of one transform: (N, L + 1). Gradient to `learned`.
Var encoder_features(Tape& tape, const Var& learned, const Tensor& strength, int transform, float deviation,
                     const StepState* state);

}  // namespace retort
