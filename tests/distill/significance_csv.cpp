#include <doctest/doctest.h>

#include "distill/significance.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("significance csv: what was written is read") {
  const TemporaryFolder folder;
  const Significance s{{0, 4, 1}, {10, 7, 59999}, {2, 0, 9}, 8};
  write_significance_csv(folder / "s.csv", s);
  CHECK(contents(folder / "s.csv") == "# epochs=8\nindex,label,count\n10,2,0\n7,0,4\n59999,9,1\n");
  const Significance back = read_significance_csv(folder / "s.csv");
  CHECK(back.count == s.count);
  CHECK(back.index == s.index);
  CHECK(back.label == s.label);
  CHECK(back.epochs == 8);
}

TEST_CASE("significance csv: other people's files") {
  const Significance s = parse_significance_csv("# from a spreadsheet\r\nindex,label,count\r\n\r\n3,1,2\r\n5,0,6\r\n", "s");
  CHECK(s.count == std::vector<std::int32_t>{2, 6});
  CHECK(s.epochs == 6);  // not said: the highest count
}

TEST_CASE("significance csv: malformed files are blamed by line") {
  const std::string head = "# epochs=4\nindex,label,count\n1,0,2\n";
  for (const auto& [text, blame] : std::vector<std::pair<std::string, std::string>>{
           {head + "2,0\n", "s.csv:4: expected index,label,count, got '2,0'"},
           {head + "2,0,x\n", "s.csv:4"},
           {head + "2,0,1.5\n", "s.csv:4"},
           {head + "2,0,-1\n", "s.csv:4"},
           {head + "-2,0,1\n", "s.csv:4"},
           {head + "2,0,1,9\n", "s.csv:4"},
           {head + "2, 0,1\n", "s.csv:4"},
           {head + "2,0,99999999999\n", "s.csv:4"},
           {head + ",,\n", "s.csv:4"},
           {"\n# epochs=4\nsample,label,count\n1,0,2\n", "s.csv:3: expected the header 'index,label,count'"},
           {"1,0,2\n", "s.csv:1"},
           {"# epochs=many\nindex,label,count\n1,0,2\n", "s.csv:1: epochs must be a number"},
           {"# epochs=4\nindex,label,count\n", "s.csv: no samples"},
           {"", "s.csv: no samples"},
           {head + "2,0,5\n", "s.csv: a count of 5 in 4 epochs"},
           {head + "1,0,3\n", "s.csv:4: sample 1"}}) {
    CAPTURE(text);
    const Failure failure = failure_of([&] { parse_significance_csv(text, "s.csv"); });
    CAPTURE(failure.message);
    CHECK(failure.blames(blame));
  }
  CHECK(failure_of([] { read_significance_csv("/nowhere/s.csv"); }).blames("/nowhere/s.csv"));
}
