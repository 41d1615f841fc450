// A whole comparison, made small: every arm over two seeds, the table, and a second call that trains nothing.
#include "distill/reproduce.h"

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

Recipe tiny() {
  Recipe r = make_recipe("demo", "");
  r.base.data = "synthetic:train=60,test=20,classes=4";
  r.base.epochs = 2;
  r.base.batch = 16;
  r.teacher_net = "lenet5";
  r.student_net = "lenet5-half";
  return r;
}

}  // namespace

TEST_CASE("reproduce: all arms, one table, and finished runs are kept") {
  const TemporaryFolder folder;
  ReproduceOptions options;
  options.out = folder / "runs";
  options.seeds = 2;
  options.threads = 1;
  std::vector<std::string> lines;
  const auto say = [&](const std::string& line) { lines.push_back(line); };
  const Table table = reproduce(tiny(), options, say);
  REQUIRE(table.rows.size() == arms().size());
  for (const ArmRuns& row : table.rows) {
    const std::string id = arm_info(row.arm).id;
    CAPTURE(id);
    // The seeds of this recipe share their teachers.
    const bool teacher = row.arm == Arm::teacher || row.arm == Arm::regulated_teacher;
    REQUIRE(row.results.size() == (teacher ? 1 : 2));
    for (const RunResult& result : row.results) CHECK(result.finished);
    CHECK(std::filesystem::exists(options.out + "/" + row.folder + "/result.json"));
    const RunResult& r = row.results[0];
    if (row.arm == Arm::kd) CHECK(r.ledger.student_backward == 120);
    if (row.arm == Arm::student) CHECK(r.ledger.teacher_backward == 120);
  }
  const auto row = [&](Arm arm) -> const RunResult& {
    for (const ArmRuns& candidate : table.rows) {
      if (candidate.arm == arm) return candidate.results[0];
    }
    throw std::runtime_error("no such row");
  };
  // Controls are given what they control for.
  CHECK(row(Arm::random_subset).samples_in_use == row(Arm::significance).samples_in_use);
  CHECK(row(Arm::random_subset).ledger.student_forward == row(Arm::significance).ledger.student_forward);
  CHECK(row(Arm::random_mask).participation == doctest::Approx(row(Arm::regulated).participation).epsilon(0.25));
  CHECK(row(Arm::kd_same_seconds).epochs <= row(Arm::kd).epochs);
  CHECK(contains(contents(folder / "runs/table.md"), "Spearman"));
  const auto json = nlohmann::json::parse(contents(folder / "runs/table.json"));
  CHECK(json["rows"].size() == arms().size());
  for (const auto& entry : json["rows"]) CHECK(std::filesystem::path(entry["folder"].get<std::string>()).is_relative());
  CHECK(!contents(folder / "runs/table.csv").empty());

  lines.clear();
  const std::string markdown = contents(folder / "runs/table.md");
  reproduce(tiny(), options, say);
  CHECK(contents(folder / "runs/table.md") == markdown);
  for (const std::string& line : lines) CHECK_MESSAGE(contains(line, "finished before"), line);

  // A run that was made with other options is nothing to delete silently.
  Recipe changed = tiny();
  changed.lr[Arm::hybrid] = 0.01;
  try {
    reproduce(changed, options, say);
    FAIL("the runs of another recipe were taken for its own");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(contains(error.what(), "lr = 0.4, now 0.01"));
    CHECK(contains(error.what(), "seed-1/hybrid"));
  }
}
