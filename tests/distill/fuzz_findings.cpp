// What fuzzing found in the parsers of this folder.
#include <doctest/doctest.h>

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

}  // namespace retort::test
