// Regulated softmax cross-entropy on every backend.
#include "tests/kernels/loss_operands.h"

namespace retort::test {
namespace {

TEST_CASE("the reference losses' gradients agree with finite differences of their values") {
  const Values z = normal_values(7, 1, DType::f32, 0, 2);
  const Values t = normal_values(7, 2, DType::f32, 0, 2);
  for (const double smoothing : {0.0, 0.1}) {
    const auto value = [&](const Values& v) { return reference::cross_entropy(v, 3, smoothing).loss; };
    check_within("ce", reference::cross_entropy(z, 3, smoothing).gradient, finite_differences(value, z), 1e-8);
  }
  for (const double temperature : {1.0, 4.0}) {
    const auto value = [&](const Values& v) { return reference::distillation(v, t, 2, 0.7, temperature).loss; };
    check_within("kd", reference::distillation(z, t, 2, 0.7, temperature).gradient, finite_differences(value, z), 1e-8);
  }
  const auto value = [&](const Values& v) { return reference::squared_error(v, t).loss; };
  check_within("mse", reference::squared_error(z, t).gradient, finite_differences(value, z), 1e-8);
}

TEST_CASE("the reference cross-entropy is log(classes) for equal logits and its confidences are 1/C, 0 and 0") {
  const Values z(10, 1.5);
  CHECK(reference::cross_entropy(z, 4, 0).loss == doctest::Approx(std::log(10)));
  CHECK(reference::confidence(Confidence::max_probability, z) == doctest::Approx(0.1));
  CHECK(reference::confidence(Confidence::margin, z) == doctest::Approx(0));
  CHECK(reference::confidence(Confidence::entropy, z) == doctest::Approx(0));
}

BACKEND_TEST("cross-entropy gives every row's loss, confidence, correctness, participation and masked gradient") {
  NEEDS(regulated_cross_entropy);
  for (const cases::LossCase& c : cases::loss_cases()) {
    CAPTURE(c.id);
    const LossOperands o(c);
    const LossResult r = run_cross_entropy(backend, c, o);
    check_rule(c, o, r);
    Values loss, loss_bounds, gradient, gradient_bounds;
    for (int i = 0; i < c.rows; ++i) {
      const Values z = o.row(o.logits, i, c.classes);
      const auto row = reference::cross_entropy(z, static_cast<int>(o.labels[i]), c.smoothing);
      const double error = log_error(z);
      loss.push_back(row.loss);
      loss_bounds.push_back(error + 8 * 0x1p-24 * row.loss);
      for (const double g : row.gradient) {
        gradient.push_back(r.participates[i] * g / c.divisor);
        gradient_bounds.push_back(r.participates[i] * (2 * error + 4 * 0x1p-24) / c.divisor);
      }
    }
    check_within("loss", r.loss, loss, loss_bounds);
    if (!c.scoring_only) check_within("dlogits", r.gradient, gradient, gradient_bounds);
  }
}

BACKEND_TEST("a row whose confidence equals tau stays out and one just below tau takes part") {
  NEEDS(regulated_cross_entropy);
  for (const Confidence measure : {Confidence::max_probability, Confidence::margin, Confidence::entropy}) {
    cases::LossCase c;
    c.rows = 1;
    c.classes = 5;
    c.rule = {Participation::regulated, measure};
    LossOperands o(c);
    o.logits = {0.5, 2.5, -1, 0, 1};
    o.labels = {1};
    const float certain = static_cast<float>(run_cross_entropy(backend, c, o).confidence[0]);
    o.state.confidence_threshold = certain;
    const LossResult at = run_cross_entropy(backend, c, o);
    CHECK(at.participates[0] == 0);
    check_equal("gradient of a row that stays out", at.gradient, Values(5, 0.0));
    o.state.confidence_threshold = std::nextafterf(certain, 2.0F);
    CHECK(run_cross_entropy(backend, c, o).participates[0] == 1);
    o.labels = {2};  // misclassified: takes part at any tau
    o.state.confidence_threshold = 0;
    CHECK(run_cross_entropy(backend, c, o).participates[0] == 1);
  }
}

BACKEND_TEST("the prediction is the lowest index among equal logits") {
  NEEDS(regulated_cross_entropy);
  for (const int classes : {2, 10, 17, 100}) {
    cases::LossCase c;
    c.rows = classes;
    c.classes = classes;
    LossOperands o(c);
    o.logits.assign(o.logits.size(), 0.75);
    for (int i = 0; i < classes; ++i) {
      o.labels[i] = i;
      for (int k = 0; k < i / 2; ++k) o.logits[i * classes + k] = -1;  // row i: the first of the largest is i / 2
    }
    const LossResult r = run_cross_entropy(backend, c, o);
    for (int i = 0; i < classes; ++i) CHECK(r.correct[i] == (i == i / 2));
  }
}

BACKEND_TEST("a row with a NaN logit counts as misclassified wherever the NaN is, and spoils no other row") {
  NEEDS(regulated_cross_entropy);
  for (const int classes : {2, 10, 33}) {
    for (int at = 0; at < classes; ++at) {
      cases::LossCase c;
      c.rows = 3;
      c.classes = classes;
      c.rule.participation = Participation::regulated;
      c.threshold = 0;
      LossOperands o(c);
      for (int i = 0; i < 3; ++i) o.logits[i * classes + static_cast<int>(o.labels[i])] = 20;
      o.logits[classes + at] = NAN;
      const LossResult r = run_cross_entropy(backend, c, o);
      CHECK(r.correct == Values{1, 0, 1});
      CHECK(r.participates == Values{0, 1, 0});
      CHECK(std::isnan(r.loss[1]));
      CHECK(std::isfinite(r.loss[0] + r.loss[2]));
    }
  }
}

BACKEND_TEST("huge logits neither overflow nor lose the loss") {
  NEEDS(regulated_cross_entropy);
  cases::LossCase c;
  c.rows = 2;
  c.classes = 3;
  LossOperands o(c);
  o.logits = {1e4, 0, -1e4, -3e4, -3e4, -3e4};
  o.labels = {1, 0};
  const LossResult r = run_cross_entropy(backend, c, o);
  check_within("loss", r.loss, {1e4, std::log(3.0)}, {0.01, 1e-5});
  check_within("dlogits", r.gradient, {1, -1, 0, 1.0 / 3 - 1, 1.0 / 3, 1.0 / 3}, 1e-5);
}

BACKEND_TEST("the random mask takes a share of the rows, the same rows in any batch, others in another epoch") {
  NEEDS(regulated_cross_entropy);
  cases::LossCase c;
  c.rows = 5000;
  c.classes = 2;
  c.rule.participation = Participation::random;
  LossOperands o(c);
  for (int i = 0; i < c.rows; ++i) o.samples[i] = i;
  const Values mask = run_cross_entropy(backend, c, o).participates;
  const double mean = dot(mask, mask) / c.rows;
  CHECK(std::abs(mean - 0.3) < 6 * std::sqrt(0.3 * 0.7 / c.rows));
  LossOperands reversed = o;
  for (int i = 0; i < c.rows; ++i) reversed.samples[i] = c.rows - 1 - i;
  Values mirrored = run_cross_entropy(backend, c, reversed).participates;
  std::reverse(mirrored.begin(), mirrored.end());
  CHECK(mirrored == mask);
  o.state.epoch += 1;
  CHECK(run_cross_entropy(backend, c, o).participates != mask);
  o.state.random_share = 0;
  CHECK(run_cross_entropy(backend, c, o).participates == Values(c.rows, 0.0));
  o.state.random_share = 1;
  CHECK(run_cross_entropy(backend, c, o).participates == Values(c.rows, 1.0));
}

BACKEND_TEST("dividing by participants rescales the gradient, and an empty mask divides by one") {
  NEEDS(divide_by_participants);
  for (const int taking_part : {0, 1, 5, 9}) {
    constexpr int rows = 9;
    constexpr int classes = 7;
    Values mask(rows, 0.0);
    for (int i = 0; i < taking_part; ++i) mask[(i * 2) % rows] = 1;
    StepState host;
    host.divisor = 12;
    const Values gradient = random_values(rows * classes, 1);
    const DeviceStruct<StepState> state(backend, host, Buffer::Use::input);
    const Buffer participates = input(backend, DType::i32, mask);
    const Buffer dlogits = inout(backend, DType::f32, gradient);
    backend.divide_by_participants({}, rows, classes, participates.i32(), state.data(), dlogits.f32());
    Values expected = gradient;
    for (double& value : expected) value *= 12.0 / std::max(1, taking_part);
    check_within("dlogits", dlogits.values(), expected, rounding_bounds(DType::f32, expected, 2));
  }
}

BACKEND_TEST("a row without a label is scored by its confidence alone") {
  NEEDS(regulated_cross_entropy);
  cases::LossCase c;
  c.rows = 4;
  c.classes = 10;
  c.rule.participation = Participation::regulated;
  c.threshold = 0.9F;
  LossOperands o(c);
  o.labels = {no_label, no_label, 5, 5};
  o.logits = Values(40, 0.0);
  for (const int row : {0, 2, 3}) o.logits[row * 10 + (row == 2 ? 5 : 6)] = 20;  // sure, the last one of another class
  for (const float smoothing : {0.0F, 0.1F}) {
    c.smoothing = smoothing;
    const LossResult r = run_cross_entropy(backend, c, o);
    CHECK(r.participates == Values{0, 1, 0, 1});
    CHECK(r.correct == Values{0, 0, 1, 0});
    CHECK(r.loss[0] == 0);
    CHECK(r.loss[1] == 0);
    for (int k = 0; k < 20; ++k) CHECK(r.gradient[k] == 0);
  }
}

}  // namespace
}  // namespace retort::test
