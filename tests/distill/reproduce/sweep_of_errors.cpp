// Sweeps of a regression, whose metric is better the smaller it is.
#include "distill/reproduce/sweep.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

TableRow point(const std::string& label, double degrees, double seconds) {
  TableRow row;
  row.arm.label = label;
  row.arm.taught_by = "teacher";
  RunOutcome run;
  run.result.finished = true;
  run.result.metric = "angle";
  run.result.last = degrees;
  run.result.timing.compute = seconds;
  row.runs = {run};
  return row;
}

}  // namespace

TEST_CASE("sweep: the frontier of angles, in degrees") {
  TableSection section;
  section.samples = 100;
  section.rows = {point("good", 3.5, 10), point("quick", 5.25, 5), point("bad", 6, 7)};
  const auto points = frontier_of(section);
  REQUIRE(points.size() == 3);
  CHECK(points[0].accuracy == 3.5);
  CHECK(points[0].best_of_seconds);
  CHECK(points[1].best_of_seconds);
  CHECK(!points[2].best_of_seconds);
  CHECK(points[0].best_of_backwards);  // all cost the same
  CHECK(!points[1].best_of_backwards);

  Table table;
  table.sections = {section};
  const std::string markdown = frontier_to_markdown(table);
  CHECK(contains(markdown, "Angle against cost"));
  CHECK(contains(markdown, "last angle, degrees"));
  CHECK(contains(markdown, "| quick | 5.25 |"));
  CHECK(contains(frontier_to_csv(table), "method,angle,backwards_share"));
}
