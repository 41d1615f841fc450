#include "distill/reproduce/table.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "distill/reproduce/statistics.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

RunResult made(double last, double best, std::int64_t forward, std::int64_t backward, bool student) {
  RunResult r;
  r.finished = true;
  r.metric = "accuracy";
  r.last = last;
  r.best = best;
  r.train_samples = 1000;
  (student ? r.ledger.student_forward : r.ledger.teacher_forward) = forward;
  (student ? r.ledger.student_backward : r.ledger.teacher_backward) = backward;
  if (student) r.ledger.teacher_forward = 700;
  r.ledger.distinct_samples = backward / 2;
  r.ledger.flops = 3e9;
  r.timing = {1, 2, 3};
  return r;
}

RunOutcome done(const RunResult& result) {
  return {result, {}};
}

TableRow row(const std::string& id, double lr, const std::string& folder, std::vector<RunOutcome> runs) {
  TableRow row{find_recipe("demo", false).arm(id), lr, 2000, folder, std::move(runs)};
  return row;
}

/// Two seeds; hybrid failed once, regulated always.
Table hand_made() {
  Table t;
  t.recipe = "hand";
  t.title = "made by hand";
  t.notes = {"a note"};
  TableSection section;
  section.pair = {"big", "small", {{"kd", 91.5}}, ""};
  section.samples = 1000;
  const RunOutcome failed{{}, "the roof is on fire"};
  section.rows = {
      row("teacher", 0.1, "t", {done(made(0.94, 0.95, 2000, 2000, false)), done(made(0.96, 0.97, 2000, 2000, false))}),
      row("kd", 0.05, "k", {done(made(0.90, 0.90, 2000, 2000, true)), done(made(0.92, 0.94, 2000, 2000, true))}),
      row("significance", 0.05, "s", {done(made(0.91, 0.92, 500, 400, true)), done(made(0.95, 0.96, 700, 600, true))}),
      row("regulated", 0.05, "r", {failed, failed}),
      row("hybrid", 0.02, "h", {done(made(0.93, 0.93, 500, 100, true)), failed}),
      row("random-subset", 0.05, "c",
          {done(made(0.90, 0.90, 500, 500, true)), done(made(0.91, 0.91, 700, 700, true))})};
  for (RunOutcome& run : section.rows.back().runs) run.result.train_samples = 300;  // what it was given
  t.sections = {section};
  return t;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == ',') cells.emplace_back();
    if (c != ',') cells.back() += c;
  }
  return cells;
}

const std::string& line_with(const std::vector<std::string>& lines, const std::string& part) {
  static const std::string none;
  for (const std::string& line : lines) {
    if (contains(line, part)) return line;
  }
  return none;
}

}  // namespace

TEST_CASE("table: mean, deviation and standard error by hand") {
  CHECK(spread_of({}).n == 0);
  CHECK(spread_of({5}).mean == 5);
  CHECK(spread_of({5}).deviation == 0);
  const Spread four = spread_of({1, 2, 3, 4});
  CHECK(four.n == 4);
  CHECK(four.mean == doctest::Approx(2.5));
  CHECK(four.deviation == doctest::Approx(std::sqrt(5.0 / 3)));
  CHECK(four.standard_error() == doctest::Approx(std::sqrt(5.0 / 3) / 2));  // over the root of 4
}

TEST_CASE("table: rank correlation by hand") {
  CHECK(spearman({1, 2, 3, 4}, {10, 20, 30, 400}) == doctest::Approx(1));
  CHECK(spearman({1, 2, 3, 4}, {4, 3, 2, 1}) == doctest::Approx(-1));
  CHECK(spearman({1, 2, 3}, {1, 3, 2}) == doctest::Approx(0.5));
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5).
  CHECK(spearman({1, 2, 2, 3}, {1, 3, 2, 4}) == doctest::Approx(4.5 / std::sqrt(22.5)));
  // Ranks 2, 2, 2, 4.5, 4.5 and 4.5, 2, 2, 2, 4.5: deviations (-1,-1,-1,1.5,1.5), (1.5,-1,-1,-1,1.5).
  CHECK(spearman({0, 0, 0, 1, 1}, {1, 0, 0, 0, 1}) == doctest::Approx(1.25 / 7.5));
  CHECK(spearman({1, 1, 1}, {1, 2, 3}) == 0);
  CHECK(failure_of([] { spearman({1, 2}, {1}); }).failed);
  CHECK(failure_of([] { spearman({1}, {1}); }).failed);
}

TEST_CASE("table: Markdown for people") {
  const std::string text = to_markdown(hand_made());
  const auto lines = lines_of(text);
  CHECK(lines.at(0) == "made by hand");
  const std::string& teacher = line_with(lines, "| teacher, conventional");
  CHECK(contains(teacher, " 95.00 ± 1.41 |"));
  CHECK(contains(teacher, " 96.00 ± 1.41 |"));
  CHECK(contains(teacher, " 100.0 % |"));
  const std::string& kd = line_with(lines, "| kd ");
  CHECK(contains(kd, " 91.50 |"));
  CHECK(contains(kd, " 35.0 % |"));
  const std::string& significance = line_with(lines, "| significance ");
  CHECK(contains(significance, " 93.00 ± 2.83 |"));
  CHECK(contains(significance, " 30.0 % |"));
  CHECK(contains(significance, " 25.0 % |"));
  CHECK(contains(significance, " 250 (25.0 %) |"));  // distinct, of the data set's 1000
  CHECK(contains(line_with(lines, "| control: random subset"), " 300 (30.0 %) |"));  // likewise
  CHECK(contains(line_with(lines, "| regulated"), " failed |"));
  CHECK(contains(text, "- regulated, seed 2: the roof is on fire"));
  CHECK(contains(line_with(lines, "| hybrid"), "1 of 2 failed"));
  CHECK(contains(line_with(lines, "| hybrid"), " 93.00 |"));
  CHECK(contains(text, "a note\n"));
  // A table that is one: every row as many columns, all of one width.
  std::size_t columns = 0, width = 0;
  for (const std::string& line : lines) {
    if (line.empty() || line[0] != '|') continue;
    std::size_t bars = 0, points = 0;
    for (const char c : line) {
      bars += c == '|';
      points += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }
    if (columns == 0) columns = bars, width = points;
    CHECK(bars == columns);
    CHECK(points == width);
  }
  CHECK(columns > 5);
}

TEST_CASE("table: a method minus its control, by seed") {
  const auto lines = paired_differences(hand_made().sections[0]);
  // +1 and +4 points: mean 2.5, standard error 1.5.
  CHECK(
      contains(line_with(lines, "significance minus control: random subset"), "+2.50 ± 1.50 points (2 paired seeds)"));
  CHECK(contains(line_with(lines, "significance minus kd"), "+2.00 ± 1.00 points"));
  CHECK(contains(line_with(lines, "hybrid minus kd"), "+3.00 points (1 seed)"));  // the seed that both finished
  CHECK(line_with(lines, "regulated minus").empty());
}

TEST_CASE("table: CSV and JSON for programs, with the same numbers") {
  const Table table = hand_made();
  const auto& rows = table.sections[0].rows;
  const auto csv = lines_of(to_csv(table));
  REQUIRE(csv.size() == 1 + rows.size());
  const auto names = cells_of(csv[0]);
  const nlohmann::json json = nlohmann::json::parse(to_json(table));
  CHECK(json["recipe"] == "hand");
  REQUIRE(json["rows"].size() == rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto cells = cells_of(csv[r + 1]);
    REQUIRE(cells.size() == names.size());
    std::map<std::string, std::string> row;
    for (std::size_t c = 0; c < cells.size(); ++c) row[names[c]] = cells[c];
    const auto& object = json["rows"][r];
    CHECK(object["method"] == row.at("method"));
    CHECK(object["runs"] == std::stoi(row.at("runs")));
    CHECK(object["finished"] == std::stoi(row.at("finished")));
    CHECK(object["last_mean"].get<double>() == doctest::Approx(std::stod(row.at("last_mean"))));
    CHECK(object["last_deviation"].get<double>() == doctest::Approx(std::stod(row.at("last_deviation"))));
    CHECK(object["backwards"].get<double>() == doctest::Approx(std::stod(row.at("backwards"))));
    CHECK(object.contains("published") == !row.at("published").empty());
  }
  const auto& significance = json["rows"][2];
  CHECK(significance["last_mean"].get<double>() == doctest::Approx(93));
  CHECK(significance["last_deviation"].get<double>() == doctest::Approx(2 * std::sqrt(2.0)));
  CHECK(significance["forwards_share"].get<double>() == doctest::Approx(0.3));
  CHECK(significance["gflop"].get<double>() == doctest::Approx(3));
  CHECK(significance["seconds"].get<double>() == doctest::Approx(6));
  CHECK(json["rows"][3]["finished"] == 0);
  CHECK(json["problems"].size() == 3);
  CHECK(json["rows"][1]["published"] == 91.5);
  CHECK(json["paired_differences"].size() == paired_differences(table.sections[0]).size());
}
