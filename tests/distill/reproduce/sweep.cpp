// Sweeps: the arms they come to, and which of them are on a frontier.
#include "distill/reproduce/sweep.h"

#include "tests/distill/reproduce/recipes.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

TableRow point(const std::string& label, double accuracy, std::int64_t backwards, double seconds) {
  TableRow row;
  row.arm.label = label;
  row.arm.taught_by = "teacher";
  RunOutcome run;
  run.result.finished = true;
  run.result.last = accuracy;
  run.result.ledger.student_backward = backwards;
  run.result.timing.compute = seconds;
  row.runs = {run};
  return row;
}

}  // namespace

TEST_CASE("sweep: one arm for each combination of values, and kd beside them") {
  const Recipe recipe = read_recipe(tiny_recipe(), "tiny.toml", false);
  const Recipe swept =
      sweep_recipe(recipe, "regulated",
                   {parse_variation("confidence=0.5,0.75"), parse_variation("confidence-measure=margin,entropy")});
  std::vector<std::string> ids;
  for (const Arm& arm : swept.arms) ids.push_back(arm.id);
  CHECK(ids == std::vector<std::string>{"teacher", "teacher-regulated", "kd",
                                        "regulated-confidence-0.5-confidence-measure-margin",
                                        "regulated-confidence-0.5-confidence-measure-entropy",
                                        "regulated-confidence-0.75-confidence-measure-margin",
                                        "regulated-confidence-0.75-confidence-measure-entropy"});
  const RunOptions last = arm_options(swept, swept.pairs[0], swept.arms.back(), 1);
  CHECK(last.confidence == 0.75);
  CHECK(last.confidence_measure == "entropy");
  CHECK(last.method == "regulated");
  CHECK(swept.arms.back().label == "regulated, confidence 0.75, confidence-measure entropy");
}

TEST_CASE("sweep: what is no variation") {
  for (const char* words :
       {"confidence", "=1", "confidence=", "confidences=1", "confidence=high", "method=a/b", "confidence=0.5,,0.7"}) {
    const Failure failure = failure_of([&] { parse_variation(words); });
    CAPTURE(std::string(words));
    CHECK(failure.failed);
    CHECK(failure.kind == ErrorKind::usage);
  }
}

TEST_CASE("sweep: the frontier by hand") {
  TableSection section;
  section.samples = 100;
  section.rows = {point("all", 0.80, 100, 10), point("half", 0.80, 50, 12), point("few", 0.70, 10, 9),
                  point("worse", 0.69, 20, 9.5)};
  for (TableRow& each : section.rows) each.conventional = 100;
  const auto points = frontier_of(section);
  REQUIRE(points.size() == 4);
  CHECK(points[0].label == "few");
  CHECK(points[0].backwards == doctest::Approx(0.1));
  CHECK(points[0].best_of_backwards);
  CHECK(points[0].best_of_seconds);
  CHECK(points[1].label == "worse");
  CHECK(!points[1].best_of_backwards);
  CHECK(!points[1].best_of_seconds);
  CHECK(points[2].label == "half");
  CHECK(points[2].best_of_backwards);
  CHECK(!points[2].best_of_seconds);
  CHECK(!points[3].best_of_backwards);
  CHECK(points[3].best_of_seconds);
}

TEST_CASE("sweep: the command, to its tables") {
  const TemporaryFolder folder;
  put_text(folder / "tiny.toml", tiny_recipe());
  const Finished done = check_done(retort_program({"sweep", folder / "tiny.toml", "--vary", "confidence=0.3,0.9",
                                                   "--seeds", "1", "--threads", "1", "--out", folder / "out"}));
  CHECK(contains(done.out, "regulated, confidence 0.3"));
  const std::string csv = contents(folder / "out/frontier.csv");
  CHECK(contains(csv, "lenet5,lenet5-half,\"regulated, confidence 0.9\","));
  CHECK(contains(csv, "lenet5,lenet5-half,\"kd\","));
  CHECK(contains(contents(folder / "out/frontier.md"), "| * |"));
  check_refused(retort_program({"sweep", folder / "tiny.toml", "--vary", "tau=1"}), 2, {"tau"});
  check_refused(retort_program({"sweep", folder / "tiny.toml", "--method", "zen", "--vary", "confidence=1"}), 2,
                {"zen", "hybrid"});
}
