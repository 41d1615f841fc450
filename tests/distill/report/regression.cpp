// retort report: a run whose metric is an error.
#include "tests/distill/report/page_of.h"

using namespace retort;
using namespace retort::test;

namespace {

RunOptions gaze_run(const std::string& out) {
  RunOptions o = small_run("teach", out);
  o.data = "gaze-synthetic:train=32,test=12";
  o.net = "lenet-gaze";
  o.lr = 0.001;
  return o;
}

}  // namespace

TEST_CASE("report: a regression has degrees and a calibration") {
  const TemporaryFolder folder;
  const RunOptions o = gaze_run(folder / "run");
  run(o);
  const Reported r = reported(folder, {o.out});
  CHECK(r.data["missing"].empty());
  const auto& shown = r.data["runs"][0];
  CHECK(shown["metric"] == "angle");
  CHECK(shown["calibration"]["bins"].size() == 10);
  CHECK(!shown.contains("confusion"));
  CHECK(r.data["frontier"][0]["metric"] == "angle");
}

TEST_CASE("report: a regression that was stopped has the metric and the epoch of its last evaluation") {
  const TemporaryFolder folder;
  RunOptions o = gaze_run(folder / "run");
  o.epochs = 6;
  o.eval_every = 2;
  o.max_steps = 9;  // of two an epoch: within the fifth
  run(o);
  const Reported r = reported(folder, {o.out});
  const auto& shown = r.data["runs"][0];
  CHECK(shown["metric"] == "angle");
  CHECK(shown["epochs_done"] == 4);
  const std::string missing = missing_of(r.data, "run");
  CHECK(contains(missing, "has not finished (4 of 6 epochs)"));
  CHECK(!contains(missing, "calibration"));
}

TEST_CASE("report: a regulated regression has pictures, and no labels to predict") {
  const TemporaryFolder folder;
  RunOptions o = gaze_run(folder / "run");
  o.regulation = "mask";
  o.confidence = 0.2;
  run(o);
  const Reported r = reported(folder, {o.out});
  CHECK(r.data["missing"].empty());
  REQUIRE(r.data["runs"][0]["gallery"]["most"].size() == 24);
  CHECK(r.data["runs"][0]["gallery"]["most"][0]["prediction"].is_null());
}
