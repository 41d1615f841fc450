#include "kernels/transform_draws.h"

#include <algorithm>

#include "kernels/transform_randomness.h"

namespace retort::cpu {

void transform_draws_forward(const Launch&, const TransformDraws& draws, int rows, const float* probabilities,
                             const float* magnitudes, const StepState* state, float* share, float* strength) {
  for (int k = 0; k < draws.count; ++k) {
    const int transform = draws.transform[k], magnitude = draws.magnitude[k];
    const float drawn = relaxed_draw(probabilities[transform], transform, *state);
    const float trained = magnitude < 0 ? 0.0F : sigmoid(magnitudes[magnitude]);
    for (int n = 0; n < rows; ++n) {
      const TransformOfImage own = transform_of_image(n, transform, draws.two_ways[k], *state);
      share[k * rows + n] = own.applied ? drawn : 0.0F;
      strength[k * rows + n] = own.direction * (magnitude >= 0 && draws.random_strength ? own.strength : trained);
    }
  }
}

void transform_draws_backward(const Launch&, const TransformDraws& draws, int rows, const float* probabilities,
                              const float* magnitudes, const StepState* state, const float* dshare,
                              const float* dstrength, float* dprobabilities, float* dmagnitudes) {
  if (dprobabilities != nullptr) std::fill_n(dprobabilities, draws.transforms, 0.0F);
  if (dmagnitudes != nullptr) std::fill_n(dmagnitudes, draws.magnitudes, 0.0F);
  for (int k = 0; k < draws.count; ++k) {
    const int transform = draws.transform[k], magnitude = draws.magnitude[k];
    double to_draw = 0, to_strength = 0;
    for (int n = 0; n < rows; ++n) {
      const TransformOfImage own = transform_of_image(n, transform, draws.two_ways[k], *state);
      if (own.applied) to_draw += dshare[k * rows + n];
      to_strength += own.direction * dstrength[k * rows + n];
    }
    if (dprobabilities != nullptr) {
      const double drawn = relaxed_draw(probabilities[transform], transform, *state);
      const double p = sigmoid(probabilities[transform]);
      dprobabilities[transform] = static_cast<float>(to_draw * drawn * (1 - drawn) / kRelaxation * p * (1 - p));
    }
    if (dmagnitudes == nullptr || magnitude < 0 || draws.random_strength) continue;
    const double m = sigmoid(magnitudes[magnitude]);
    dmagnitudes[magnitude] = static_cast<float>(to_strength * m * (1 - m));
  }
}

void encoder_features_forward(const Launch&, int rows, int width, int transform, float deviation, const float* learned,
                              const float* strength, const StepState* state, float* features) {
  for (int n = 0; n < rows; ++n) {
    float* own = features + static_cast<std::int64_t>(n) * (width + 1);
    for (int j = 0; j < width; ++j) {
      own[j] = learned[j] + (deviation > 0 ? deviation * encoder_noise(n, j, transform, *state) : 0.0F);
    }
    own[width] = strength[n];
  }
}

void encoder_features_backward(const Launch&, int rows, int width, const float* dfeatures, float* dlearned,
                               float* dstrength) {
  for (int j = 0; j < width && dlearned != nullptr; ++j) {
    double sum = 0;
    for (int n = 0; n < rows; ++n) sum += dfeatures[static_cast<std::int64_t>(n) * (width + 1) + j];
    dlearned[j] = static_cast<float>(sum);
  }
  for (int n = 0; n < rows; ++n) dstrength[n] = dfeatures[static_cast<std::int64_t>(n) * (width + 1) + width];
}

}  // namespace retort::cpu
