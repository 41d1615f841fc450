// The random numbers of transform_draws.h, for both backends.
#pragma once

#include <cmath>

#include "kernels/philox.h"
#include "kernels/transform_draws.h"

namespace retort {

constexpr float kRelaxation = 0.05F;  ///< temperature of the Bernoulli draws

/// In (0, 1), neither end included.
RETORT_HOST_DEVICE inline float to_open_uniform(std::uint32_t bits) {
  return (static_cast<float>(bits >> 9) + 0.5F) * (1.0F / 8388608.0F);
}

RETORT_HOST_DEVICE inline float sigmoid(float x) {
  return 1.0F / (1.0F + expf(-x));
}

/// b_k for this trained probability.
RETORT_HOST_DEVICE inline float relaxed_draw(float probability, int transform, const StepState& state) {
  const Philox4 words = philox(state.seed, Purpose::transform, static_cast<std::uint64_t>(state.batch), state.epoch,
                               static_cast<std::uint32_t>(transform));
  const float u = to_open_uniform(words.v[0]);
  return sigmoid((logf(u / (1.0F - u)) + sigmoid(probability)) / kRelaxation);
}

/// What is drawn for one image and transform.
struct TransformOfImage {
  bool applied = false;
  float direction = 1;
  float strength = 0;  ///< under random_strength
};

RETORT_HOST_DEVICE inline std::uint64_t image_of_batch(int row, const StepState& state) {
  return static_cast<std::uint64_t>(state.batch) << 32 | static_cast<std::uint32_t>(row);
}

RETORT_HOST_DEVICE inline TransformOfImage transform_of_image(int row, int transform, bool two_ways,
                                                              const StepState& state) {
  const Philox4 words = philox(state.seed, Purpose::transform_of_image, image_of_batch(row, state), state.epoch,
                               static_cast<std::uint32_t>(transform));
  return {words.v[0] >> 31 != 0, two_ways && words.v[1] >> 31 != 0 ? -1.0F : 1.0F, to_uniform(words.v[2])};
}

struct Pixel {
  int row = 0, column = 0;
};

/// Anywhere in the image.
RETORT_HOST_DEVICE inline Pixel cutout_centre(int row, int height, int width, const StepState& state) {
  const Philox4 words = philox(state.seed, Purpose::cutout, image_of_batch(row, state), state.epoch, 0);
  return {static_cast<int>(to_below(words.v[0], static_cast<std::uint32_t>(height))),
          static_cast<int>(to_below(words.v[1], static_cast<std::uint32_t>(width)))};
}

/// z(n, j) of encoder_features (Box and Muller). Draw 16 transform + j / 2 gives two, so that j has to be below
/// kMostLearned: from there on the draws would be the next transform's.
RETORT_HOST_DEVICE inline float encoder_noise(int row, int j, int transform, const StepState& state) {
  const Philox4 words = philox(state.seed, Purpose::encoder_noise, image_of_batch(row, state), state.epoch,
                               static_cast<std::uint32_t>(kMostLearned / 2 * transform + j / 2));
  const float radius = sqrtf(-2.0F * logf(to_open_uniform(words.v[0])));
  const float angle = 6.283185307F * to_uniform(words.v[1]);
  return radius * (j % 2 == 0 ? cosf(angle) : sinf(angle));
}

}  // namespace retort
