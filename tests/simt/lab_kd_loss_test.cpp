// bench/lab/kd_loss: every version computes the definition, and moves as much memory as the lab's README says.
#include <cmath>

#include "bench/lab/kd_loss/kd_loss.h"
#include "tests/reference/loss.h"
#include "tests/simt/backend.h"
#include "tests/simt/traffic.h"
#include "tests/support/buffer.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

struct Problem {
  int rows, classes;
  Values student, teacher, labels;
  Buffer z, t, y, loss, gradient;

  Problem(int rows, int classes)
      : rows(rows),
        classes(classes),
        student(scaled(random_values(rows * classes, 1))),
        teacher(scaled(random_values(rows * classes, 2))),
        labels(labels_of(rows, classes)),
        z(input(simt_backend(), DType::f32, student)),
        t(input(simt_backend(), DType::f32, teacher)),
        y(input(simt_backend(), DType::i32, labels)),
        loss(output(simt_backend(), DType::f32, rows)),
        gradient(output(simt_backend(), DType::f32, rows * classes)) {}

  static Values scaled(Values values) {
    for (double& value : values) value = static_cast<float>(6 * value);
    return values;
  }
  static Values labels_of(int rows, int classes) {
    Values all;
    for (int i = 0; i < rows; ++i) all.push_back(i * 7 % classes);
    return all;
  }
  lab::KdLoss arguments() const {
    lab::KdLoss p;
    p.rows = rows;
    p.classes = classes;
    p.student = z.f32();
    p.teacher = t.f32();
    p.labels = static_cast<const std::int32_t*>(y.data());
    p.loss = loss.f32();
    p.dlogits = gradient.f32();
    return p;
  }
};

}  // namespace

TEST_CASE("lab: every version of the distillation loss computes the definition") {
  for (const int classes : {10, 33, 100, 128, 200, 512}) {
    for (const lab::KdLossVersion& version : lab::kd_loss_versions) {
      const Problem problem(9, classes);
      const lab::KdLoss p = problem.arguments();
      if (!takes(version, p)) continue;
      CAPTURE(classes);
      CAPTURE(version.name);
      version.run({}, p);
      const Values loss = problem.loss.values(), gradient = problem.gradient.values();
      for (int i = 0; i < problem.rows; ++i) {
        const auto row = [&](const Values& all) {
          return Values(all.begin() + i * classes, all.begin() + (i + 1) * classes);
        };
        const reference::RowLoss expected = reference::distillation(
            row(problem.student), row(problem.teacher), static_cast<int>(problem.labels[static_cast<std::size_t>(i)]),
            p.alpha, p.temperature);
        CHECK(std::abs(loss[static_cast<std::size_t>(i)] - expected.loss) <= 2e-5 * (1 + std::abs(expected.loss)));
        for (int c = 0; c < classes; ++c) {
          CHECK(std::abs(row(gradient)[static_cast<std::size_t>(c)] - expected.gradient[static_cast<std::size_t>(c)]) <=
                2e-6);
        }
      }
    }
  }
}

TEST_CASE("lab: what the versions of the distillation loss ask of memory") {
  const Problem problem(32, 128);
  const double least = lab::least_bytes(problem.arguments());
  std::vector<::simt::Traffic> traffic;
  for (const lab::KdLossVersion& version : lab::kd_loss_versions) {
    traffic.push_back(::simt::traffic_of([&] { version.run({}, problem.arguments()); }));
    MESSAGE(std::string(version.name) << ", " << std::string(version.idea) << ": " << traffic.back().requests / 32.0
                                      << " requests a row, sectors " << traffic.back().sector_bytes() / least
                                      << " times the least");
  }
  const auto moved = [&](std::size_t version) { return traffic[version - 1].sector_bytes() / least; };
  CHECK(moved(1) > 7 * moved(2));  // a sector for each logit
  CHECK(moved(2) > 3 * moved(3));  // each logit again and again
  CHECK(moved(3) < 1.05);
  CHECK(moved(4) < 1.05);
  CHECK(traffic[2].requests == 14U * 32);  // 4 + 4 loads, 4 stores, label and loss
  CHECK(traffic[3].requests == 5U * 32);
}

}  // namespace retort::test
