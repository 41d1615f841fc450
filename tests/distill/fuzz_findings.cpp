// What fuzzing found in the parsers of this folder.
#include <doctest/doctest.h>

#include <cmath>

#include "distill/options.h"
#include "distill/significance.h"
#include "tests/support/temporary_folder.h"

namespace retort::test {

TEST_CASE("a message quotes a damaged line or key in one line") {
  const auto csv = [] { parse_significance_csv("index,label,count\n1,2,\x1b[2J\n", "s.csv"); };
  CHECK(failure_of(csv).message == "s.csv:2: expected index,label,count, got '1,2,?[2J'");
  const auto toml = [] { from_toml("\"net\\nwork\" = 'resnet20'", "config.toml"); };
  CHECK(failure_of(toml).message == "config.toml:1: unknown option 'net?work'");
}

// The address and undefined-behaviour sanitizers (make sanitize) are the judges here.
TEST_CASE("a list of small and infinite numbers is written and read again") {
  RunOptions options;
  options.milestones = {0.001, 1e-300, 150, HUGE_VAL, -HUGE_VAL};
  CHECK(from_toml(to_toml(options), "config.toml").milestones == options.milestones);
}

}  // namespace retort::test
