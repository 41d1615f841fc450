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

TEST_CASE("letters beyond ASCII are welcome in strings and comments and refused elsewhere") {
  const std::string good =
      "# \u00e9 'quoted\nnet = \"r\u00e9seau \\\"\" # \u00e9\ndata = '''folder:/\u00e9t\u00e9'''\n";
  CHECK(from_toml(good, "config.toml").net == "r\u00e9seau \"");
  CHECK(from_toml(good, "config.toml").data == "folder:/\u00e9t\u00e9");
  const auto bare = [&] { from_toml(good + "\u00e9 = 1\n", "config.toml"); };
  CHECK(failure_of(bare).blames("config.toml:4:"));
}

TEST_CASE("brackets that toml++ takes for impossible are an error of the file") {
  for (const char* text : {"command = [}", "[\n seed = 1", "seed = 1\n["}) {
    const Failure failure = failure_of([&] { from_toml(text, "config.toml"); });
    CHECK(failure.blames("config.toml"));
  }
}

// The address and undefined-behaviour sanitizers (make sanitize) are the judges here.
TEST_CASE("a list of small and infinite numbers is written and read again") {
  RunOptions options;
  options.milestones = {0.001, 1e-300, 150, HUGE_VAL, -HUGE_VAL};
  CHECK(from_toml(to_toml(options), "config.toml").milestones == options.milestones);
}

}  // namespace retort::test
