// The weighted, regulated distillation loss and the squared error on every backend.
#include "tests/kernels/loss_operands.h"

namespace retort::test {
namespace {

BACKEND_TEST("the distillation loss gives every row's value, its parts and the masked, weighted gradient") {
  NEEDS(distillation_loss);
  for (const cases::LossCase& c : cases::loss_cases()) {
    CAPTURE(c.id);
    const LossOperands o(c);
    const LossResult r = run_distillation(backend, c, o);
    check_rule(c, o, r);
    const double alpha = c.distillation.alpha;
    const double t = c.distillation.temperature;
    Values loss, loss_bounds, ce, ce_bounds, kl, kl_bounds, gradient, gradient_bounds;
    for (int i = 0; i < c.rows; ++i) {
      const Values z = o.row(o.logits, i, c.classes);
      const Values teacher = o.row(o.teacher, i, c.classes);
      const double weight = c.weights ? o.weights[i] : 1;
      const auto row = reference::distillation(z, teacher, static_cast<int>(o.labels[i]), alpha, t);
      const double ce_error = log_error(z) + 8 * 0x1p-24 * row.cross_entropy;
      // the sum of p_t (log p_t - log p_s): error of both logarithms, and of p_t times their difference
      const double logs = log_error(z, t) + log_error(teacher, t);
      const double kl_error =
          logs * (2 + 2 * (largest(z) + largest(teacher)) / t) + sum_error(c.classes) * row.divergence;
      ce.push_back(row.cross_entropy);
      ce_bounds.push_back(ce_error);
      kl.push_back(row.divergence);
      kl_bounds.push_back(kl_error);
      loss.push_back(weight * row.loss);
      const double error = (1 - alpha) * ce_error + alpha * t * t * kl_error + 8 * 0x1p-24 * row.loss;
      loss_bounds.push_back(weight * error + FLT_MIN);
      for (const double g : row.gradient) {
        const double scale = r.participates[i] * weight / c.divisor;
        gradient.push_back(scale * g);
        const double part_errors = (1 - alpha) * (log_error(z) + 0x1p-22) + alpha * t * (logs + 0x1p-22);
        gradient_bounds.push_back(scale * (2 * part_errors + 8 * 0x1p-24 * std::abs(g)));
      }
    }
    check_within("loss", r.loss, loss, loss_bounds);
    check_within("cross entropy", r.cross_entropy, ce, ce_bounds);
    check_within("divergence", r.divergence, kl, kl_bounds);
    if (!c.scoring_only) check_within("dlogits", r.gradient, gradient, gradient_bounds);
    if (c.scoring_only) check_equal("loss without parts", run_distillation(backend, c, o, false).loss, r.loss);
  }
}

BACKEND_TEST("a row without a label learns from the teacher alone, and participates where it is not confident") {
  NEEDS(distillation_loss);
  for (const Participation participation : {Participation::all, Participation::regulated, Participation::random}) {
    for (const float alpha : {0.0F, 0.5F, 1.0F}) {
      cases::LossCase c;
      c.rows = 24;
      c.classes = 10;
      c.rule.participation = participation;
      c.threshold = 0.5F;
      c.distillation = {alpha, 4.0F};
      c.divisor = 7;
      LossOperands o(c);
      for (int i = 0; i < c.rows; i += 2) o.labels[i] = no_label;
      o.logits[3] = 30;  // row 0 is sure of it
      o.logits[2 * c.classes + 1] = NAN;
      const LossResult r = run_distillation(backend, c, o);
      for (int i = 0; i < c.rows; i += 2) {
        CAPTURE(i);
        const Values z = o.row(o.logits, i, c.classes), teacher = o.row(o.teacher, i, c.classes);
        const auto top = [](const Values& v) { return std::max_element(v.begin(), v.end()) - v.begin(); };
        const bool nan = reference::has_nan(z);
        CHECK(r.correct[i] == (!nan && top(z) == top(teacher)));
        if (participation == Participation::regulated) {
          CHECK(r.participates[i] == (nan || r.confidence[i] < c.threshold));
        }
        CHECK(r.cross_entropy[i] == 0);
        if (nan) continue;
        auto row = reference::distillation(z, teacher, 0, 1, 4);  // without any share of the label
        CHECK(r.divergence[i] == doctest::Approx(row.divergence).epsilon(1e-4));
        CHECK(r.loss[i] == doctest::Approx(alpha * row.loss).epsilon(1e-4));
        for (int k = 0; k < c.classes; ++k) {
          const double want = r.participates[i] * alpha * row.gradient[k] / c.divisor;
          CHECK(std::abs(r.gradient[i * c.classes + k] - want) < 1e-6);
        }
      }
      // Its neighbours are not touched by it.
      LossOperands labelled(c);
      labelled.logits = o.logits;
      const LossResult whole = run_distillation(backend, c, labelled);
      for (int i = 1; i < c.rows; i += 2) {
        CHECK(r.loss[i] == whole.loss[i]);
        CHECK(r.participates[i] == whole.participates[i]);
      }
    }
  }
}

BACKEND_TEST("distillation from oneself has no divergence, and with alpha 0 it is plain cross-entropy") {
  NEEDS(distillation_loss);
  cases::LossCase c;
  c.rows = 16;
  c.classes = 10;
  c.distillation = {1.0F, 4.0F};
  LossOperands o(c);
  o.teacher = o.logits;
  const LossResult itself = run_distillation(backend, c, o);
  check_within("loss", itself.loss, Values(c.rows, 0.0), 1e-4);
  check_within("dlogits", itself.gradient, Values(c.rows * c.classes, 0.0), 1e-5);
  c.distillation.alpha = 0;
  const LossOperands other(c);
  const LossResult plain = run_cross_entropy(backend, c, other);
  const LossResult distilled = run_distillation(backend, c, other);
  check_within("loss", distilled.loss, plain.loss, 1e-5);
  check_within("dlogits", distilled.gradient, plain.gradient, 1e-6);
  CHECK(distilled.participates == plain.participates);
}

BACKEND_TEST("distillation of a row with a NaN in the student's logits counts it as misclassified") {
  NEEDS(distillation_loss);
  cases::LossCase c;
  c.rows = 3;
  c.classes = 10;
  c.rule.participation = Participation::regulated;
  c.threshold = 0;
  LossOperands o(c);
  for (int i = 0; i < 3; ++i) o.logits[i * 10 + static_cast<int>(o.labels[i])] = 20;
  o.logits[10 + 4] = NAN;
  const LossResult r = run_distillation(backend, c, o);
  CHECK(r.correct == Values{1, 0, 1});
  CHECK(r.participates == Values{0, 1, 0});
  CHECK(std::isnan(r.loss[1]));
  CHECK(std::isfinite(r.loss[0] + r.loss[2]));
}

BACKEND_TEST("a linear student trained with alpha 1 arrives at the distribution of a linear teacher") {
  NEEDS(distillation_loss);
  constexpr int rows = 24;
  constexpr int features = 4;
  cases::LossCase c;
  c.rows = rows;
  c.classes = 3;
  c.distillation = {1.0F, 2.0F};
  c.divisor = rows;
  LossOperands o(c);
  const Values x = normal_values(rows * features, 11);
  const Values teacher = normal_values(3 * features, 12);
  Values student(3 * features, 0.0);
  const auto apply = [&](const Values& weight) {
    Values z(rows * 3, 0.0);
    for (int n = 0; n < rows; ++n)
      for (int k = 0; k < 3; ++k)
        for (int f = 0; f < features; ++f) z[n * 3 + k] += x[n * features + f] * weight[k * features + f];
    return z;
  };
  o.teacher = apply(teacher);
  const auto distance = [&] {
    double total = 0;
    for (int n = 0; n < rows; ++n) {
      const Values p = reference::softmax(o.row(o.teacher, n, 3));
      const Values q = reference::softmax(o.row(apply(student), n, 3));
      for (int k = 0; k < 3; ++k) total += std::abs(p[k] - q[k]) / rows;
    }
    return total;
  };
  const double before = distance();
  for (int step = 0; step < 600; ++step) {
    o.logits = apply(student);
    const Values dz = run_distillation(backend, c, o).gradient;
    for (int n = 0; n < rows; ++n)
      for (int k = 0; k < 3; ++k)
        for (int f = 0; f < features; ++f) student[k * features + f] -= 1.0 * dz[n * 3 + k] * x[n * features + f];
  }
  CHECK(before > 0.3);
  CHECK(distance() < 0.003);
}

BACKEND_TEST("the squared error gives value, gradient and a participation ruled by the root of the error") {
  NEEDS(regulated_squared_error);
  for (const int dimensions : {1, 2, 3, 17, 100}) {
    for (const Participation participation : {Participation::all, Participation::regulated, Participation::random}) {
      for (const bool scoring_only : {false, true}) {
        constexpr int rows = 33;
        CAPTURE(dimensions);
        const Values p = normal_values(rows * dimensions, 1);
        const Values t = normal_values(rows * dimensions, 2);
        const Values who = random_integers(rows, 3, 1000);
        StepState host;
        host.confidence_threshold = 1.2F;
        host.random_share = 0.4F;
        host.divisor = 6;
        host.seed = 9;
        const DeviceStruct<StepState> state(backend, host, Buffer::Use::input);
        const Buffer prediction = input(backend, DType::f32, p);
        const Buffer target = input(backend, DType::f32, t);
        const Buffer samples = input(backend, DType::i32, who);
        const LossBuffers out(backend, rows, scoring_only ? 0 : p.size());
        backend.regulated_squared_error({}, {participation, Confidence::max_probability}, rows, dimensions,
                                        prediction.f32(), target.f32(), samples.i32(), state.data(), out.rows(),
                                        scoring_only ? nullptr : out.gradient.f32());
        const LossResult r = out.result();
        Values loss, certain, gradient;
        for (int i = 0; i < rows; ++i) {
          const auto cut = [&](const Values& v) {
            return Values(v.begin() + i * dimensions, v.begin() + (i + 1) * dimensions);
          };
          const auto row = reference::squared_error(cut(p), cut(t));
          loss.push_back(row.loss);
          certain.push_back(-std::sqrt(row.loss));
          const bool enters =
              participation == Participation::regulated
                  ? std::sqrt(row.loss) >= host.confidence_threshold
                  : reference::participates({participation, {}}, host, static_cast<std::uint64_t>(who[i]), false, 0);
          CHECK(r.participates[i] == enters);
          for (const double g : row.gradient) gradient.push_back(enters ? g / host.divisor : 0);
        }
        check_within("loss", r.loss, loss, sum_bounds(DType::f32, loss, loss, dimensions + 4));
        check_within("confidence", r.confidence, certain,
                     sum_bounds(DType::f32, certain, absolute(certain), dimensions + 4));
        check_equal("correct", r.correct, Values(rows, 0.0));
        // p - t is rounded before the scale; both are below 8
        if (!scoring_only) check_within("gradient", r.gradient, gradient, rounding_bounds(DType::f32, gradient, 6));
      }
    }
  }
}

}  // namespace
}  // namespace retort::test
