// What learned augmentation draws, against its formulas, and the gradients through the draws.
#include "kernels/transform_draws.h"

#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

StepState state_of(std::int64_t batch, std::uint32_t seed = 3) {
  StepState state;
  state.seed = seed;
  state.epoch = 2;
  state.batch = batch;
  return state;
}

/// 14 transforms with 11 magnitudes, of which a batch gets four: one that goes two ways, one that does not, one that
/// has no magnitude, and one more.
TransformDraws four() {
  TransformDraws draws;
  draws.transforms = 14;
  draws.magnitudes = 11;
  draws.count = 4;
  const int transform[] = {8, 4, 12, 0}, magnitude[] = {8, 4, -1, 0};
  for (int k = 0; k < 4; ++k) {
    draws.transform[k] = transform[k];
    draws.magnitude[k] = magnitude[k];
    draws.two_ways[k] = k == 0 || k == 3;
  }
  return draws;
}

struct Drawn {
  Values share, strength;
};

Drawn draw(const Backend& backend, const TransformDraws& draws, int rows, const Values& probabilities,
           const Values& magnitudes, const StepState& state) {
  const Buffer p = input(backend, DType::f32, probabilities), m = input(backend, DType::f32, magnitudes);
  const DeviceStruct<StepState> on_device(backend, state, Buffer::Use::input);
  const std::size_t n = 1UL * draws.count * rows;
  const Buffer share = output(backend, DType::f32, n), strength = output(backend, DType::f32, n);
  backend.transform_draws_forward({}, draws, rows, p.f32(), m.f32(), on_device.data(), share.f32(), strength.f32());
  return {share.values(), strength.values()};
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

BACKEND_TEST("half of the images get a transform, all of those with the share drawn for the batch") {
  NEEDS(transform_draws_forward);
  constexpr int rows = 4000;
  const TransformDraws draws = four();
  const Values probabilities = normal_values(14, 1), magnitudes = normal_values(11, 2);
  const Drawn drawn = draw(backend, draws, rows, probabilities, magnitudes, state_of(5));
  for (int k = 0; k < draws.count; ++k) {
    std::set<double> shares;
    int applied = 0, negative = 0;
    const int magnitude = draws.magnitude[k];
    const double want = magnitude < 0 ? 0 : logistic(magnitudes[magnitude]);
    for (int n = 0; n < rows; ++n) {
      const double share = drawn.share[k * rows + n], strength = drawn.strength[k * rows + n];
      if (share > 0) shares.insert(share), ++applied;
      negative += strength < 0 ? 1 : 0;
      CHECK(std::abs(std::abs(strength) - want) < 1e-6);
    }
    CAPTURE(k);
    CHECK(shares.size() == 1);
    CHECK(std::abs(applied - rows / 2) < 4 * std::sqrt(rows / 4.0));
    CHECK(std::abs(negative - (draws.two_ways[k] ? rows / 2 : 0)) < 4 * std::sqrt(rows / 4.0));
  }
}

BACKEND_TEST("a transform's share is a relaxed Bernoulli draw, another one in every batch") {
  NEEDS(transform_draws_forward);
  TransformDraws draws = four();
  const Values magnitudes(11, 0.0);
  // b > 1/2 exactly where logit(u) > -sigmoid(p), that is with probability sigmoid(sigmoid(p)).
  for (const double p : {-4.0, 0.0, 3.0}) {
    int high = 0, between = 0;
    constexpr int batches = 600;
    for (int batch = 0; batch < batches; ++batch) {
      const Drawn drawn = draw(backend, draws, 16, Values(14, p), magnitudes, state_of(batch));
      const double b = *std::max_element(drawn.share.begin(), drawn.share.begin() + 16);
      high += b > 0.5 ? 1 : 0;
      between += b > 0.1 && b < 0.9 ? 1 : 0;
    }
    const double want = logistic(logistic(p));
    CAPTURE(p);
    CHECK(std::abs(high - batches * want) < 4 * std::sqrt(batches * want * (1 - want)));
    CHECK(between < batches / 10);  // at this temperature nearly all draws are nearly 0 or 1
  }
}

BACKEND_TEST("random strengths fill the unit interval whatever the magnitudes are") {
  NEEDS(transform_draws_forward);
  constexpr int rows = 4000;
  TransformDraws draws = four();
  draws.random_strength = true;
  const Drawn drawn = draw(backend, draws, rows, Values(14, 0.0), Values(11, 9.0), state_of(1));
  for (const int k : {0, 1, 3}) {
    double sum = 0;
    for (int n = 0; n < rows; ++n) sum += std::abs(drawn.strength[k * rows + n]);
    CHECK(sum / rows == doctest::Approx(0.5).epsilon(0.04));
  }
  for (int n = 0; n < rows; ++n) CHECK(drawn.strength[2 * rows + n] == 0);  // it has no magnitude
}

BACKEND_TEST("gradients of probabilities and magnitudes are those of the draws") {
  NEEDS(transform_draws_backward);
  constexpr int rows = 37;
  const TransformDraws draws = four();
  const Values probabilities = normal_values(14, 1), magnitudes = normal_values(11, 2);
  const Values dshare = normal_values(4 * rows, 3), dstrength = normal_values(4 * rows, 4);
  // A batch whose draws are not all saturated, so that there is something to see.
  StepState state = state_of(0);
  const auto lively = [&] {
    const Drawn drawn = draw(backend, draws, rows, probabilities, magnitudes, state);
    return std::any_of(drawn.share.begin(), drawn.share.end(), [](double b) { return b > 0.05 && b < 0.95; });
  };
  while (!lively()) ++state.batch;
  const Buffer p = input(backend, DType::f32, probabilities), m = input(backend, DType::f32, magnitudes);
  const Buffer ds = input(backend, DType::f32, dshare), dt = input(backend, DType::f32, dstrength);
  const Buffer dp = output(backend, DType::f32, 14), dm = output(backend, DType::f32, 11);
  const DeviceStruct<StepState> on_device(backend, state, Buffer::Use::input);
  backend.transform_draws_backward({}, draws, rows, p.f32(), m.f32(), on_device.data(), ds.f32(), dt.f32(), dp.f32(),
                                   dm.f32());
  const Buffer p_alone = output(backend, DType::f32, 14), m_alone = output(backend, DType::f32, 11);
  backend.transform_draws_backward({}, draws, rows, p.f32(), m.f32(), on_device.data(), ds.f32(), dt.f32(),
                                   p_alone.f32(), nullptr);
  backend.transform_draws_backward({}, draws, rows, p.f32(), m.f32(), on_device.data(), ds.f32(), dt.f32(), nullptr,
                                   m_alone.f32());
  check_equal("probabilities alone", p_alone.values(), dp.values());
  check_equal("magnitudes alone", m_alone.values(), dm.values());
  const auto loss_of = [&](const Values& some, const Values& others) {
    const Drawn drawn = draw(backend, draws, rows, some, others, state);
    double sum = 0;
    for (int i = 0; i < 4 * rows; ++i) sum += drawn.share[i] * dshare[i] + drawn.strength[i] * dstrength[i];
    return sum;
  };
  const auto check = [&](const Values& gradient, bool of_probabilities) {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      Values more = of_probabilities ? probabilities : magnitudes, less = more;
      constexpr double step = 1.0 / 256;
      more[i] += step;
      less[i] -= step;
      const double want = of_probabilities ? (loss_of(more, magnitudes) - loss_of(less, magnitudes)) / (2 * step)
                                           : (loss_of(probabilities, more) - loss_of(probabilities, less)) / (2 * step);
      CAPTURE(of_probabilities);
      CAPTURE(i);
      CHECK(std::abs(gradient[i] - want) < 5e-3 + 1e-2 * std::abs(want));
    }
  };
  const Values of_probabilities = dp.values();
  check(of_probabilities, true);
  check(dm.values(), false);
  CHECK(std::any_of(of_probabilities.begin(), of_probabilities.end(), [](double g) { return std::abs(g) > 0.01; }));
}

BACKEND_TEST("an encoder reads what it has learned, with noise, and the strength") {
  NEEDS(encoder_features_forward);
  constexpr int rows = 3000, width = 6;
  const Values learned = normal_values(width, 1), strength = normal_values(rows, 2);
  const Buffer l = input(backend, DType::f32, learned), s = input(backend, DType::f32, strength);
  const DeviceStruct<StepState> state(backend, state_of(7), Buffer::Use::input);
  for (const float deviation : {0.0F, 0.01F}) {
    const Buffer features = output(backend, DType::f32, 1UL * rows * (width + 1));
    backend.encoder_features_forward({}, rows, width, 3, deviation, l.f32(), s.f32(), state.data(), features.f32());
    const Values found = features.values();
    for (int j = 0; j < width; ++j) {
      double sum = 0, square = 0;
      for (int n = 0; n < rows; ++n) {
        const double noise = found[n * (width + 1) + j] - learned[j];
        sum += noise, square += noise * noise;
      }
      CHECK(std::abs(sum / rows) <= 4 * deviation / std::sqrt(rows) + 1e-7);
      CHECK(std::abs(std::sqrt(square / rows) - deviation) <= 4 * deviation / std::sqrt(2.0 * rows) + 1e-7);
    }
    for (int n = 0; n < rows; ++n) CHECK(found[n * (width + 1) + width] == strength[n]);
  }
}

BACKEND_TEST("the gradients of encoder features are sums over images, and each image's own") {
  NEEDS(encoder_features_backward);
  constexpr int rows = 129, width = 10;
  const Values dfeatures = normal_values(rows * (width + 1), 1);
  const Buffer from = input(backend, DType::f32, dfeatures);
  const Buffer dlearned = output(backend, DType::f32, width), dstrength = output(backend, DType::f32, rows);
  backend.encoder_features_backward({}, rows, width, from.f32(), dlearned.f32(), dstrength.f32());
  Values want(width, 0.0), own;
  for (int n = 0; n < rows; ++n) {
    for (int j = 0; j < width; ++j) want[j] += dfeatures[n * (width + 1) + j];
    own.push_back(dfeatures[n * (width + 1) + width]);
  }
  check_within("dlearned", dlearned.values(), want, 1e-5);
  check_equal("dstrength", dstrength.values(), own);
}

}  // namespace
}  // namespace retort::test
