// A whole comparison, made small: every arm, the table, and a second call that trains nothing.
#include "tests/distill/runs.h"

#include <sys/stat.h>

#include "distill/folder_lock.h"
#include "distill/reproduce/reproduce.h"
#include "tests/distill/reproduce/recipes.h"

using namespace retort;
using namespace retort::test;

namespace {

/// One reproduction in a folder of its own.
struct Trial {
  TemporaryFolder folder;
  ReproduceOptions options;
  std::vector<std::string> lines;

  Trial() {
    options.out = folder / "runs";
    options.threads = 1;
    options.program = RETORT_PROGRAM;
  }
  Table run(const std::string& recipe) {
    lines.clear();
    return reproduce(read_recipe(recipe, "tiny.toml", false), options,
                     [&](const std::string& line) { lines.push_back(line); });
  }
  bool said(const std::string& part) const {
    for (const std::string& line : lines) {
      if (contains(line, part)) return true;
    }
    return false;
  }
  /// A program that runs these lines of the shell first, with the run's arguments, and then trains.
  void trains_after(const std::string& script) {
    options.program = folder / "program";
    put_text(options.program, "#!/bin/sh\n" + script + "\nexec " RETORT_PROGRAM " \"$@\"\n");
    ::chmod(options.program.c_str(), 0755);
  }
};

const TableRow& row_of(const Table& table, const std::string& id, std::size_t section = 0) {
  for (const TableRow& row : table.sections.at(section).rows) {
    if (row.arm.id == id) return row;
  }
  throw std::runtime_error("no row " + id);
}

}  // namespace

TEST_CASE("reproduce: all arms, one table, and finished runs are kept") {
  Trial trial;
  const Table table = trial.run(tiny_recipe());
  REQUIRE(table.sections.size() == 1);
  REQUIRE(table.sections[0].rows.size() == 11);
  for (const TableRow& row : table.sections[0].rows) {
    CAPTURE(row.arm.id);
    // The seeds of this recipe share their teachers.
    REQUIRE(row.runs.size() == (row.arm.trains_teacher ? 1 : 2));
    for (const RunOutcome& run : row.runs) CHECK(run.result.finished);
    CHECK(std::filesystem::exists(trial.options.out + "/" + row.folder + "/result.json"));
    const RunResult& r = row.runs[0].result;
    if (row.arm.id == "kd") CHECK(r.ledger.student_backward == 120);
    if (row.arm.id == "student") CHECK(r.ledger.teacher_backward == 120);
  }
  const auto result = [&](const std::string& id) -> const RunResult& { return row_of(table, id).runs[0].result; };
  // Controls are given what they control for.
  CHECK(result("random-subset").samples_in_use == result("significance").samples_in_use);
  CHECK(result("random-subset").ledger.student_forward == result("significance").ledger.student_forward);
  CHECK(result("random-mask").participation == doctest::Approx(result("regulated").participation).epsilon(0.25));
  CHECK(result("random-subset-and-mask").samples_in_use == result("hybrid").samples_in_use);
  CHECK(result("random-subset-and-mask").participation ==
        doctest::Approx(result("hybrid").participation).epsilon(0.25));
  CHECK(result("kd-same-seconds").epochs <= result("kd").epochs);
  const std::string markdown = contents(trial.folder / "runs/table.md");
  CHECK(contains(markdown, "Spearman"));
  const auto json = nlohmann::json::parse(contents(trial.folder / "runs/table.json"));
  CHECK(json["rows"].size() == 11);
  CHECK(json["problems"].empty());
  for (const auto& entry : json["rows"]) CHECK(std::filesystem::path(entry["folder"].get<std::string>()).is_relative());
  CHECK(!contents(trial.folder / "runs/table.csv").empty());
  CHECK(contains(trial.lines.at(0), "20 runs, 0 of them finished"));
  CHECK(!std::filesystem::exists(trial.folder / "runs/lock"));

  trial.run(tiny_recipe());
  CHECK(contents(trial.folder / "runs/table.md") == markdown);
  CHECK(contains(trial.lines.at(0), "20 runs, 20 of them finished"));
  for (std::size_t i = 1; i < trial.lines.size(); ++i)
    CHECK_MESSAGE(contains(trial.lines[i], "finished before"), trial.lines[i]);

  // A run that was made with other options is nothing to delete silently.
  const std::string changed = tiny_recipe() + "[arm]\nhybrid.lr = 0.01\n";
  const Failure failure = failure_of([&] { trial.run(changed); });
  REQUIRE(failure.failed);
  CHECK(failure.kind == ErrorKind::usage);
  CHECK(contains(failure.message, "lr = 0.1, now 0.01"));
  CHECK(contains(failure.message, "seed-1/hybrid"));
}

TEST_CASE("reproduce: pairs share their teachers, and students that learn alone") {
  Trial trial;
  trial.options.seeds = 1;
  Recipe recipe = read_recipe(tiny_recipe("[[pair]]\nteacher = \"lenet5\"\nstudent = \"lenet5-half\"\n"
                                          "[[pair]]\nteacher = \"lenet5\"\nstudent = \"lenet5\"\n"),
                              "tiny.toml", false);
  select(recipe, {"regulated"}, {});
  REQUIRE(recipe.arms.size() == 2);  // with the teacher that it needs
  const Table table = reproduce(recipe, trial.options, [&](const std::string& line) { trial.lines.push_back(line); });
  REQUIRE(table.sections.size() == 2);
  CHECK(contains(trial.lines.at(0), "3 runs"));
  CHECK(row_of(table, "teacher-regulated", 0).folder == row_of(table, "teacher-regulated", 1).folder);
  CHECK(row_of(table, "regulated", 0).folder != row_of(table, "regulated", 1).folder);
  CHECK(row_of(table, "regulated", 1).runs[0].result.finished);
  CHECK(contains(contents(trial.folder / "runs/table.md"), "## lenet5 -> lenet5-half"));
}

TEST_CASE("reproduce: a run that is killed is continued, one that fails again stands in the table") {
  Trial trial;
  trial.options.seeds = 1;
  trial.trains_after(
      "case \"$*\" in\n"
      "  */kd) if [ ! -e \"" +
      (trial.folder / "once") + "\" ]; then touch \"" + (trial.folder / "once") +
      "\"; kill -9 $$; fi ;;\n"
      "  */teacher-regulated) echo 'retort: the roof is on fire' >&2; exit 5 ;;\n"
      "esac");
  const Table table = trial.run(tiny_recipe());
  CHECK(trial.said("lenet5--lenet5-half/seed-1/kd: ended by signal 9"));
  CHECK(row_of(table, "kd").runs[0].result.finished);
  CHECK(row_of(table, "teacher-regulated").runs[0].problem == "the roof is on fire");
  // What needs it is left out, and says so; the rest is there.
  CHECK(row_of(table, "hybrid").runs[0].problem == "not run: 'teacher-regulated' failed");
  CHECK(row_of(table, "kd-same-seconds").runs[0].problem == "not run: 'significance' failed");
  CHECK(row_of(table, "student").runs[0].result.finished);
  const std::string markdown = contents(trial.folder / "runs/table.md");
  CHECK(contains(markdown, "the roof is on fire"));
  CHECK(contains(markdown, " failed |"));

  // Once the reason is gone, the same call fills the gaps.
  trial.options.program = RETORT_PROGRAM;
  const Table again = trial.run(tiny_recipe());
  for (const TableRow& row : again.sections[0].rows) CHECK_MESSAGE(row.runs.at(0).result.finished, row.arm.id);
}

TEST_CASE("reproduce: stopped by a signal, and gone on with") {
  const TemporaryFolder folder;
  put_text(folder / "tiny.toml", tiny_recipe());
  const std::vector<std::string> words = {"reproduce",     folder / "tiny.toml", "--out",
                                          folder / "runs", "--threads",          "1"};
  Program first(words);
  while (first.running() && !contains(first.out(), "== lenet5--lenet5-half/seed-1/kd")) ::usleep(2000);
  // A second one is told who is there.
  check_refused(retort_program(words), 7, {folder / "runs", "in use by process", "--out"});
  first.send(SIGTERM);
  const Finished stopped = first.wait();
  CHECK(stopped.code == 0);
  CHECK(contains(stopped.out, "stopped; the same command continues"));
  CHECK(!std::filesystem::exists(folder / "runs/lenet5--lenet5-half/seed-2/hybrid/result.json"));
  const Finished done = check_done(retort_program(words));
  CHECK(contains(done.out, "finished before"));
  CHECK(contains(done.out, "| hybrid"));
  CHECK(contains(done.out, "table.json"));
}

TEST_CASE("reproduce: learning rates are chosen on held-out images") {
  Trial trial;
  trial.options.seeds = 1;
  trial.options.tune = true;
  Recipe recipe = read_recipe(tiny_recipe() + "[tune]\nrates = [0.001, 0.1]\nheld-out = 20\n", "tiny.toml", false);
  select(recipe, {"random-subset", "kd-same-seconds"}, {});
  const Table table = reproduce(recipe, trial.options, [&](const std::string& line) { trial.lines.push_back(line); });
  CHECK(trial.said("choosing learning rates on 20 held-out"));
  CHECK(trial.said("kd: 0.001 -> "));
  const double kd = row_of(table, "kd").lr;
  const bool chosen = kd == 0.001 || kd == 0.1;
  CHECK(chosen);
  CHECK(row_of(table, "kd-same-seconds").lr == kd);
  CHECK(contains(contents(trial.folder / "runs/table.md"), "(seed 1001)"));
  const auto tuned = RunFolder(trial.options.out + "/lenet5--lenet5-half/tune/kd-lr0.1").read_config();
  REQUIRE(tuned.has_value());
  CHECK(tuned->val_split == 20);
}

TEST_CASE("reproduce: the plan alone runs nothing") {
  Trial trial;
  trial.options.plan_only = true;
  trial.run(tiny_recipe());
  REQUIRE(trial.lines.size() == 1);
  CHECK(contains(trial.lines[0], "20 runs, 0 of them finished; the others take at most"));
  CHECK(contains(trial.lines[0], "PFLOP"));
  CHECK(!std::filesystem::exists(trial.options.out));
}
