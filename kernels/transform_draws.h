// What is drawn for learned augmentation (TST, arXiv:2212.05422, and its published code): which share of a batch's
// images each transform moves, how strongly, and the noise on what its encoder has learned.
//
//     share(k, n)    = b_k a(k, n)       b_k = sigmoid((logit(u_k) + sigmoid(probability_k)) / 0.05)
//     strength(k, n) = d(k, n) sigmoid(magnitude_k)
//
// u_k ~ U(0, 1) is drawn once a transform and batch: a relaxed Bernoulli draw, through which gradients pass. a(k, n) is
// 1 or 0 with probability 1/2 each, drawn for each image and transform alone; d(k, n) is 1, or a random sign for
// transforms that go two ways. All of it is a function of (seed; epoch, batch, position in the batch, transform).
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

/// Most values that an encoder can have learned: each has its own random numbers (transform_randomness.h).
constexpr int kMostLearned = 32;

/// The transforms that a batch gets, at most kMost of them.
struct TransformDraws {
  static constexpr int kMost = 8;
  int transforms = 0;            ///< T that there are, each with a probability
  int magnitudes = 0;            ///< M that are trained
  int count = 0;                 ///< K of this batch
  int transform[kMost] = {};     ///< below T, different
  int magnitude[kMost] = {};     ///< below M, different; negative: it has none, its strength is 0
  bool two_ways[kMost] = {};     ///< its strength has a sign
  bool random_strength = false;  ///< drawn from U(0, 1) for each image, whatever the magnitudes are
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  void transform_draws_forward(const Launch& launch, const TransformDraws& draws, int rows,
                               const float* probabilities,   // (T)
                               const float* magnitudes,      // (M)
                               const StepState* state,       // seed, epoch, batch
                               float* share,                 // (K, N)
                               float* strength);             // (K, N)
  void transform_draws_backward(const Launch& launch, const TransformDraws& draws, int rows, const float* probabilities,
                                const float* magnitudes, const StepState* state,
                                const float* dshare,         // (K, N)
                                const float* dstrength,      // (K, N)
                                float* dprobabilities,       // (T), overwritten; or null
                                float* dmagnitudes);         // (M), overwritten; or null

  /// What an encoder reads for each image: learned_j + deviation z(n, j) for j < width, z ~ N(0, 1), then the strength.
  void encoder_features_forward(const Launch& launch, int rows, int width, int transform, float deviation,
                                const float* learned,        // (L = width), L <= kMostLearned
                                const float* strength,       // (N)
                                const StepState* state,
                                float* features);            // (N, L + 1)
  void encoder_features_backward(const Launch& launch, int rows, int width,
                                 const float* dfeatures,     // (N, L + 1)
                                 float* dlearned,            // (L), overwritten; or null
                                 float* dstrength);          // (N), overwritten
)
// clang-format on
