#include "data/synthetic_gaze.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/angle.h"
#include "kernels/error.h"
#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

namespace {

SyntheticGazeOptions few(int train, int test = 4) {
  SyntheticGazeOptions o;
  o.train = train;
  o.test = test;
  return o;
}

}  // namespace

TEST_CASE("gaze-synthetic: its shape, and the same bytes on every machine") {
  const Dataset d = make_synthetic_gaze(few(48, 12));
  CHECK(d.height == 36);
  CHECK(d.width == 60);
  CHECK(d.channels == 1);
  CHECK(d.classes == 0);
  CHECK(d.train.count() == 48);
  CHECK(d.test.count() == 12);
  CHECK(d.train.target_width == 2);
  CHECK(d.train.auxiliary.size() == 96);
  validate(d);
  CHECK(d.checksum == "train:63c142fe test:b3c65645");
}

TEST_CASE("gaze-synthetic: a sample depends on its number, the seed and who is left out") {
  const Dataset small = make_synthetic_gaze(few(5)), large = make_synthetic_gaze(few(20));
  CHECK(std::equal(small.train.pixels.begin(), small.train.pixels.end(), large.train.pixels.begin()));
  CHECK(std::equal(small.train.targets.begin(), small.train.targets.end(), large.train.targets.begin()));
  std::set<std::string> checksums;
  for (const char* text : {"train=5,test=4", "train=5,test=4,seed=2", "train=5,test=4,person=3"}) {
    checksums.insert(make_synthetic_gaze(parse_synthetic_gaze(text)).checksum);
  }
  CHECK(checksums.size() == 3);
}

TEST_CASE("gaze-synthetic: training targets are as uncertain as the lid hides, test targets are true") {
  SyntheticGazeOptions o = few(4000, 300);
  const Dataset noisy = make_synthetic_gaze(o);
  o.noise = 0;
  const Dataset clean = make_synthetic_gaze(o);
  CHECK(noisy.test.targets == clean.test.targets);
  CHECK(noisy.train.pixels == clean.train.pixels);
  double squares[4] = {}, expected[4] = {};
  int count[4] = {};
  for (std::size_t i = 0; i < 4000; ++i) {
    const double closure = noisy.train.difficulty[i];
    const auto part = static_cast<std::size_t>(std::min(3.0, closure * 4));
    for (std::size_t k = 0; k < 2; ++k) {
      const double error = static_cast<double>(noisy.train.targets[2 * i + k]) - clean.train.targets[2 * i + k];
      squares[part] += error * error;
      expected[part] += gaze_noise_at(closure) * gaze_noise_at(closure);
      ++count[part];
    }
  }
  for (int part = 0; part < 4; ++part) {
    REQUIRE(count[part] > 400);
    CHECK(squares[part] / expected[part] == doctest::Approx(1).epsilon(0.15));
  }
  CHECK(gaze_noise_at(1) > 10 * gaze_noise_at(0));
}

TEST_CASE("gaze-synthetic: the same picture looks elsewhere when the head is turned") {
  // Gaze is the eye's turn in the head and the head's together, up to the person's own angle.
  SyntheticGazeOptions o = few(280);
  o.noise = 0;
  const Dataset d = make_synthetic_gaze(o);
  double largest = 0;
  for (std::size_t i = 0; i < 280; ++i) {
    const double yaw = d.train.targets[2 * i + 1] - d.train.auxiliary[2 * i + 1];
    largest = std::max(largest, std::abs(yaw));
  }
  CHECK(largest < 0.48);  // 25 and 2 degrees
  CHECK(largest > 0.40);
}

TEST_CASE("gaze-synthetic: angles between directions") {
  const float ahead[2] = {0, 0}, up[2] = {0.1F, 0}, side[2] = {0, -0.3F}, behind[2] = {0, 3.14159265F};
  const double degree = 3.14159265358979 / 180;
  CHECK(degrees_between(ahead, ahead) == doctest::Approx(0).epsilon(1e-3));
  CHECK(degrees_between(ahead, up) == doctest::Approx(0.1 / degree).epsilon(1e-4));
  CHECK(degrees_between(side, ahead) == doctest::Approx(0.3 / degree).epsilon(1e-4));
  CHECK(degrees_between(ahead, behind) == doctest::Approx(180).epsilon(1e-3));
}

TEST_CASE("gaze-synthetic: options that are none") {
  for (const char* bad : {"persons=3", "person=15", "person=-1", "train=0", "noise=-1", "train", "train=x", "=", ","}) {
    CAPTURE(std::string(bad));
    const Failure failure = failure_of([&] { parse_synthetic_gaze(bad); });
    CHECK(failure.failed);
    CHECK(failure.kind == ErrorKind::usage);
  }
}
