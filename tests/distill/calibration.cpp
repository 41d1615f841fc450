#include "distill/calibration.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/random.h"
#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

namespace {

/// Samples whose errors are drawn with the deviation that is predicted, times `factor`.
struct Predicted {
  ImageSplit split;
  std::vector<float> outputs;

  Predicted(int samples, double factor) {
    split.target_width = 2;
    const Values normals = normal_values(2UL * samples, 1), deviations = random_values(samples, 2, DType::f32, 0.1, 2);
    for (int i = 0; i < samples; ++i) {
      const double deviation = deviations[i];
      split.difficulty.push_back(static_cast<float>(deviation / 2));
      for (int d = 0; d < 2; ++d) {
        split.targets.push_back(static_cast<float>(3 + factor * deviation * normals[2 * i + d]));
        outputs.push_back(3);
      }
      for (int d = 0; d < 2; ++d) outputs.push_back(static_cast<float>(2 * std::log(deviation)));
    }
  }
};

}  // namespace

TEST_CASE("calibration: errors as large as predicted, and twice as large") {
  for (const double factor : {1.0, 2.0}) {
    const Predicted p(20'000, factor);
    const Calibration c = calibration_of(p.split, p.outputs);
    REQUIRE(c.bins.size() == 10);
    for (const CalibrationBin& bin : c.bins) {
      CHECK(bin.samples == 2000);
      CHECK(bin.observed / bin.predicted == doctest::Approx(factor).epsilon(0.06));
    }
    CHECK(c.bins.front().predicted < c.bins.back().predicted / 3);
    CHECK(c.error_correlation > 0.5);
    REQUIRE(c.difficulty_correlation.has_value());
    CHECK(*c.difficulty_correlation == doctest::Approx(1));
  }
}

TEST_CASE("calibration: few samples, and no difficulty") {
  Predicted p(3, 1);
  p.split.difficulty.clear();
  const Calibration c = calibration_of(p.split, p.outputs);
  CHECK(c.bins.size() == 3);
  CHECK(!c.difficulty_correlation);
  CHECK(to_json(c).find("difficulty") == std::string::npos);
}

TEST_CASE("calibration: one sample has no ranks to correlate") {
  const Predicted p(1, 1);
  const Calibration c = calibration_of(p.split, p.outputs);
  CHECK(c.bins.size() == 1);
  CHECK(c.error_correlation == 0);
  CHECK(c.difficulty_correlation == 0.0);
}

TEST_CASE("calibration: as JSON and back") {
  const Predicted p(100, 1);
  const Calibration c = calibration_of(p.split, p.outputs), back = calibration_from_json(to_json(c), "c.json");
  REQUIRE(back.bins.size() == c.bins.size());
  for (std::size_t i = 0; i < c.bins.size(); ++i) {
    CHECK(back.bins[i].samples == c.bins[i].samples);
    CHECK(back.bins[i].observed == c.bins[i].observed);
  }
  CHECK(back.difficulty_correlation == c.difficulty_correlation);
  for (const char* damaged :
       {"", "{", "[]", R"({"bins": [{"samples": 1}], "error_correlation": 0})", R"({"bins": []})"}) {
    CHECK(failure_of([&] { calibration_from_json(damaged, "c.json"); }).blames("c.json"));
  }
}
