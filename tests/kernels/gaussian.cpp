// The loss of Gaussians, by target and by teacher, on every backend.
#include "tests/kernels/loss_operands.h"
#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {

constexpr int rows = 33;

struct Operands {
  Values student, teacher, targets, labels, samples, weights;
  StepState state;

  explicit Operands(int dimensions) {
    const std::size_t n = 1UL * rows * dimensions;
    student = normal_values(2 * n, 1);
    teacher = normal_values(2 * n, 2);
    targets = normal_values(n, 3);
    labels = random_integers(rows, 4, 2);
    for (double& label : labels) label = label > 0 ? 0 : no_label;
    samples = random_integers(rows, 5, 1000);
    weights = random_values(rows, 6, DType::f32, 0, 3);
    state.confidence_threshold = 1.2F;
    state.random_share = 0.4F;
    state.divisor = 6;
    state.seed = 9;
  }
};

struct Wanted {
  bool teacher = true, labels = true, weights = true, gradient = true;
};

struct Result {
  LossResult rows;
  Values square_error;
};

Result run_gaussian(const Backend& backend, const RegulationRule& rule, float alpha, int dimensions, const Operands& o,
                    const Wanted& wanted) {
  const DeviceStruct<StepState> state(backend, o.state, Buffer::Use::input);
  const Buffer student = input(backend, DType::f32, o.student), teacher = input(backend, DType::f32, o.teacher);
  const Buffer targets = input(backend, DType::f32, o.targets), labels = input(backend, DType::i32, o.labels);
  const Buffer samples = input(backend, DType::i32, o.samples), weights = input(backend, DType::f32, o.weights);
  const Buffer square_error = output(backend, DType::f32, rows);
  const LossBuffers out(backend, rows, wanted.gradient ? o.student.size() : 0);
  backend.gaussian_loss({}, rule, alpha, rows, dimensions, student.f32(), wanted.teacher ? teacher.f32() : nullptr,
                        targets.f32(), wanted.labels ? labels.i32() : nullptr, samples.i32(),
                        wanted.weights ? weights.f32() : nullptr, state.data(), out.rows(), square_error.f32(),
                        wanted.gradient ? out.gradient.f32() : nullptr);
  return {out.result(), square_error.values()};
}

TEST_CASE("the reference gradient of Gaussians is that of their loss") {
  const Values student = normal_values(6, 1), teacher = normal_values(6, 2), target = normal_values(3, 3);
  for (const double alpha : {0.0, 0.3, 1.0}) {
    const auto value = [&](const Values& v) { return reference::gaussian(v, teacher, target, alpha).loss; };
    check_within("gaussian", reference::gaussian(student, teacher, target, alpha).gradient,
                 finite_differences(value, student), 1e-8);
  }
  // Of a Gaussian from itself nothing diverges.
  CHECK(std::abs(reference::gaussian(teacher, teacher, {}, 1).loss) < 1e-15);
}

BACKEND_TEST("the loss of Gaussians: value, gradient, and who participates") {
  NEEDS(gaussian_loss);
  for (const int dimensions : {1, 2, 3, 17, 70}) {
    const Operands o(dimensions);
    for (const Participation participation : {Participation::all, Participation::regulated, Participation::random}) {
      for (const float alpha : {0.0F, 0.4F, 1.0F}) {
        for (const Wanted wanted : {Wanted{}, Wanted{false, true, true, true}, Wanted{true, false, false, true},
                                    Wanted{true, true, true, false}}) {
          CAPTURE(dimensions);
          const Result r = run_gaussian(backend, {participation, {}}, alpha, dimensions, o, wanted);
          Values loss, confidence, squares, gradient;
          for (int i = 0; i < rows; ++i) {
            const auto cut = [&](const Values& v, int width) {
              return Values(v.begin() + i * width, v.begin() + (i + 1) * width);
            };
            const bool has_target = !wanted.labels || o.labels[i] != no_label;
            const Values student = cut(o.student, 2 * dimensions), target = cut(o.targets, dimensions);
            const double weight = wanted.weights ? o.weights[i] : 1;
            const auto row = reference::gaussian(student, wanted.teacher ? cut(o.teacher, 2 * dimensions) : Values{},
                                                 has_target ? target : Values{}, alpha);
            double variance = 0, square = 0, from_teacher = 0;
            for (int d = 0; d < dimensions; ++d) {
              variance += std::exp(student[dimensions + d]) / dimensions;
              if (wanted.teacher) {
                from_teacher += std::pow(o.teacher[2 * i * dimensions + d] - student[d], 2) / dimensions;
              }
              if (has_target) square += (target[d] - student[d]) * (target[d] - student[d]) / dimensions;
            }
            loss.push_back(weight * row.loss);
            confidence.push_back(-std::sqrt(variance));
            squares.push_back(has_target ? square : from_teacher);
            const bool enters = participation == Participation::regulated
                                    ? std::sqrt(variance) >= o.state.confidence_threshold ||
                                          std::sqrt(square) >= o.state.confidence_threshold
                                    : reference::participates({participation, {}}, o.state,
                                                              static_cast<std::uint64_t>(o.samples[i]), false, 0);
            CHECK(r.rows.participates[i] == enters);
            for (const double g : row.gradient) gradient.push_back(enters ? weight * g / o.state.divisor : 0);
          }
          const auto bounds = [&](const Values& v) {
            Values b;
            for (const double value : v) b.push_back(2e-5 * (1 + std::abs(value)));
            return b;
          };
          check_within("loss", r.rows.loss, loss, bounds(loss));
          check_within("confidence", r.rows.confidence, confidence, bounds(confidence));
          check_within("square error", r.square_error, squares, bounds(squares));
          check_equal("correct", r.rows.correct, Values(rows, 0.0));
          if (wanted.gradient) check_within("gradient", r.rows.gradient, gradient, bounds(gradient));
        }
      }
    }
  }
}

BACKEND_TEST("the angle between directions") {
  NEEDS(angular_error);
  const Values outputs = {0, 0, 9, 9, 0, 0.3, 9, 9, 0.2, -0.4, 9, 9, 1e-4, 0, 9, 9, 1, 1, 9, 9};
  const Values teacher = {5, 5, 9, 9, 5, 5, 9, 9, 5, 5, 9, 9, 5, 5, 9, 9, 1, 0.7, 9, 9};
  const Values targets = {0, 0, 0, 0, 0.2, 0.1, 0, 0, 0, 0};
  const double degree = 3.14159265358979323846 / 180;
  const auto between = [&](int i) {
    const double *a = outputs.data() + 4 * i, *b = targets.data() + 2 * i;
    return std::acos(std::cos(a[0]) * std::cos(b[0]) * std::cos(a[1] - b[1]) + std::sin(a[0]) * std::sin(b[0])) /
           degree;
  };
  const Buffer out = input(backend, DType::f32, outputs), wanted = input(backend, DType::f32, targets);
  const Buffer labels = input(backend, DType::i32, {0, 0, 0, 0, no_label}), degrees = output(backend, DType::f32, 5);
  const Buffer by_teacher = input(backend, DType::f32, teacher);
  backend.angular_error({}, 5, out.f32(), by_teacher.f32(), wanted.f32(), labels.i32(), degrees.f32());
  const Values found = degrees.values();
  CHECK(found[0] == 0);
  CHECK(found[1] == doctest::Approx(0.3 / degree).epsilon(1e-5));
  CHECK(found[2] == doctest::Approx(between(2)).epsilon(1e-5));
  CHECK(found[3] == doctest::Approx(1e-4 / degree).epsilon(1e-4));  // which an arc cosine in fp32 would take for 0
  const double across = std::cos(1.0) * std::cos(1.0) * std::cos(0.3) + std::sin(1.0) * std::sin(1.0);
  CHECK(found[4] == doctest::Approx(std::acos(across) / degree).epsilon(1e-5));  // a mixture
  backend.angular_error({}, 5, out.f32(), nullptr, wanted.f32(), labels.i32(), degrees.f32());
  Values alone = found;
  alone[4] = 0;
  check_equal("without a teacher", degrees.values(), alone);
}

BACKEND_TEST("what a loss of Gaussians gives no weight does not spoil it by being infinite") {
  NEEDS(gaussian_loss);
  Operands o(2);
  o.labels.assign(rows, 0);
  o.teacher[4 * 3 + 2] = 1e9;  // a teacher's log-variance of row 3
  const Result by_target = run_gaussian(backend, {}, 0, 2, o, {}), alone = run_gaussian(backend, {}, 0, 2, o, {false});
  check_equal("loss", by_target.rows.loss, alone.rows.loss);
  check_equal("gradient", by_target.rows.gradient, alone.rows.gradient);
  const Operands usual(2);
  Operands far(2);
  far.labels.assign(rows, 0);
  far.targets[2 * 3] = INFINITY;
  const Result by_teacher = run_gaussian(backend, {}, 1, 2, far, {}), near = run_gaussian(backend, {}, 1, 2, usual, {});
  check_equal("loss", by_teacher.rows.loss, near.rows.loss);
  check_equal("gradient", by_teacher.rows.gradient, near.rows.gradient);
  CHECK(std::isinf(by_teacher.square_error[3]));
}

BACKEND_TEST("Gaussians that are not finite take part, and say so in the loss") {
  NEEDS(gaussian_loss);
  Operands o(2);
  o.labels.assign(rows, 0);
  o.state.confidence_threshold = 1e9F;
  o.student[4 * 3] = NAN;      // a mean of row 3
  o.student[4 * 5 + 2] = NAN;  // a log-variance of row 5
  const Result r = run_gaussian(backend, {Participation::regulated, {}}, 0.5F, 2, o, {});
  for (int i = 0; i < rows; ++i) {
    CHECK(r.rows.participates[i] == (i == 3 || i == 5));
    CHECK(std::isnan(r.rows.loss[i]) == (i == 3 || i == 5));
  }
}

}  // namespace
}  // namespace retort::test
