// The draws of learned augmentation on the tape.
#include <doctest/doctest.h>

#include <cmath>

#include "engine/transforms.h"
#include "kernels/transform_randomness.h"
#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {

TransformDraws three() {
  TransformDraws draws;
  draws.transforms = 14;
  draws.magnitudes = 11;
  draws.count = 3;
  const int transform[] = {8, 12, 0}, magnitude[] = {8, -1, 0};
  for (int k = 0; k < 3; ++k) {
    draws.transform[k] = transform[k];
    draws.magnitude[k] = magnitude[k];
    draws.two_ways[k] = k == 0;
  }
  return draws;
}

/// A batch whose draws are between 0 and 1, so that the probabilities' gradients are not lost in rounding.
StepState state_between(const TransformDraws& draws, const Values& probabilities) {
  StepState state;
  state.seed = 5;
  const auto between = [&](int k) {
    const int transform = draws.transform[k];
    const float b = relaxed_draw(static_cast<float>(probabilities[static_cast<std::size_t>(transform)]), transform, state);
    return b > 0.1F && b < 0.9F;
  };
  while (!between(0) || !between(1) || !between(2)) ++state.batch;
  return state;
}

}  // namespace

BACKEND_TEST("gradients: draw_transforms and encoder_features") {
  constexpr int rows = 5;
  Operand probabilities = trained({14}, 1), magnitudes = trained({11}, 2);
  const DeviceState on_device(backend.device, state_between(three(), probabilities.values));
  probabilities.step = 1.0 / 128;
  check_gradients("draw_transforms", backend.device,
                  {probabilities, magnitudes, linear_in(trained({6}, 3)), linear_in(trained({10}, 4))},
                  weighted_sum([&](Tape& t, const std::vector<Var>& v) {
                    const DrawnTransforms drawn =
                        draw_transforms(t, three(), rows, v[0], v[1], {v[2], nullptr, v[3]}, 0.01F, on_device.data());
                    return std::vector<Var>{drawn.share, drawn.features[0], drawn.features[2]};
                  }),
                  2e-2);
  const Tensor strength = device_tensor(backend.device, {rows}, random_values(rows, 5));
  check_gradients("encoder_features", backend.device, {linear_in(trained({6}, 3))},
                  weighted_sum([&](Tape& t, const std::vector<Var>& v) {
                    return std::vector<Var>{encoder_features(t, v[0], strength, 3, 0.01F, on_device.data())};
                  }),
                  1e-4);
}

}  // namespace retort::test
