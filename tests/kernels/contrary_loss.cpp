// The loss that wants a network to be wrong.
#include "kernels/contrary_loss.h"

#include "tests/reference/loss.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

struct Result {
  Values loss, gradient;
};

Result run_contrary(const Backend& backend, int classes, const Values& logits, const Values& labels, float divisor) {
  const Buffer z = input(backend, DType::f32, logits), y = input(backend, DType::i32, labels);
  const Buffer loss = output(backend, DType::f32, labels.size()), dz = output(backend, DType::f32, logits.size());
  const int rows = static_cast<int>(labels.size());
  backend.contrary_loss({}, rows, classes, z.f32(), y.i32(), divisor, loss.f32(), dz.f32());
  const Buffer alone = output(backend, DType::f32, labels.size());
  backend.contrary_loss({}, rows, classes, z.f32(), y.i32(), divisor, alone.f32(), nullptr);
  check_equal("without gradient", alone.values(), loss.values());
  return {loss.values(), dz.values()};
}

BACKEND_TEST("the contrary loss is low where another class is likely, and its gradient is that of its formula") {
  NEEDS(contrary_loss);
  for (const int classes : {2, 10, 100, 1000}) {
    constexpr int rows = 33;
    const Values logits = normal_values(1UL * rows * classes, 1, DType::f32, 0, 3),
                 labels = random_integers(rows, 2, classes);
    const Result r = run_contrary(backend, classes, logits, labels, 5);
    for (int i = 0; i < rows; ++i) {
      const Values z(logits.begin() + i * classes, logits.begin() + (i + 1) * classes);
      const auto label = static_cast<std::size_t>(labels[i]);
      const auto loss_of = [&](const Values& v) { return -std::log(1 - reference::softmax(v)[label] + 1e-8); };
      CHECK(r.loss[i] == doctest::Approx(loss_of(z)).epsilon(1e-4));
      for (int c = 0; c < classes; c += (classes > 10 ? 37 : 1)) {
        Values more = z, less = z;
        more[c] += 1e-5;
        less[c] -= 1e-5;
        const double want = (loss_of(more) - loss_of(less)) / 2e-5 / 5;
        CHECK(std::abs(r.gradient[i * classes + c] - want) < 1e-5 + 1e-3 * std::abs(want));
      }
    }
  }
}

BACKEND_TEST("a row without a label has no contrary loss, and changes nothing of the others") {
  NEEDS(contrary_loss);
  for (const int classes : {3, 100, 2000}) {
    constexpr int rows = 9;
    const Values logits = normal_values(1UL * rows * classes, 1), labels = random_integers(rows, 2, classes);
    Values some = labels;
    for (const int i : {0, 4, 8}) some[i] = no_label;
    const Result all = run_contrary(backend, classes, logits, labels, 5);
    const Result r = run_contrary(backend, classes, logits, some, 5);
    for (int i = 0; i < rows; ++i) {
      CHECK(r.loss[i] == (some[i] == no_label ? 0 : all.loss[i]));
      for (int c = i * classes; c < (i + 1) * classes; ++c) {
        CHECK(r.gradient[c] == (some[i] == no_label ? 0 : all.gradient[c]));
      }
    }
  }
}

BACKEND_TEST("the contrary loss of a network that is sure stays finite") {
  NEEDS(contrary_loss);
  const Result r = run_contrary(backend, 3, {100, 0, 0, 0, 100, 0}, {0, 0}, 1);
  CHECK(r.loss[0] == doctest::Approx(-std::log(1e-8)).epsilon(1e-3));
  CHECK(r.loss[1] < 1e-6);
  for (const double g : r.gradient) CHECK(std::isfinite(g));
  CHECK(std::abs(r.gradient[3]) < 1e-6);  // it is wrong already
}

}  // namespace
}  // namespace retort::test
