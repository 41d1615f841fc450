// TST in a run: copies of samples that a learned augmentation changes, and phases in which it learns.
#include <filesystem>

#include "distill/tst/phase_log.h"
#include "tests/distill/tst/students.h"

using namespace retort;
using namespace retort::test;

namespace {

std::vector<float> scalars_of(const std::string& run, const std::string& name) {
  return read_safetensors(run + "/last.safetensors").at("retort/tst/" + name).to_floats();
}

}  // namespace

TEST_CASE("tst: every sample comes twice, and phases are counted and logged") {
  const Students students;
  const RunOptions o = students.student("counted");
  const TrainedRun trained = run(o);
  const Ledger& ledger = trained.result.ledger;
  const int batch = static_cast<int>(o.batch), batches = (50 + batch - 1) / batch, passes = (32 + batches - 1) / batches;
  const std::int64_t phases = 2 * 2 * 50, steps = 3 * 2 * 50;
  CHECK(ledger.student_forward == steps + phases);
  CHECK(ledger.student_backward == steps + phases);
  CHECK(ledger.teacher_forward == steps + phases);
  CHECK(ledger.teacher_backward == phases);
  CHECK(ledger.mixtures == 3 * 50 + phases);
  CHECK(ledger.distinct_samples == 50);
  const auto log = read_phases(o.out + "/phases.jsonl");
  REQUIRE(log.size() == 8);
  for (std::size_t i = 0; i < log.size(); ++i) {
    CHECK(log[i].phase == static_cast<int>(i / 4) + 1);
    CHECK(log[i].epoch == std::vector<int>{0, 1, 2, 2}[i % 4]);
    CHECK(log[i].compares == (i % 4 == 0 || i % 4 == 3));
    CHECK(log[i].rows == (log[i].compares ? passes * 50 : 50));
    CHECK(log[i].chances.size() == 14);
    CHECK(log[i].strengths.size() == 11);
    CHECK(std::isfinite(log[i].teacher_loss));
    CHECK(log[i].student_loss > 0);
  }
  CHECK(log[0].strengths == std::vector<double>(11, 0.5));
  CHECK(log[2].strengths == log[3].strengths);
  CHECK(log[3].strengths == log[4].strengths);
  CHECK(log[3].strengths != log[7].strengths);
  for (const float p : scalars_of(o.out, "probabilities")) CHECK(std::isfinite(p));
  CHECK(scalars_of(o.out, "magnitudes") != std::vector<float>(11, 0.0F));
}

TEST_CASE("tst: the same run again, and one that is stopped and continued") {
  const Students students;
  const RunOptions whole = students.student("whole"), again = students.student("again");
  run(whole);
  run(again);
  check_same_run(whole.out, again.out);
  for (const std::int64_t stop : {2, 4, 5}) {  // within an epoch, before the second phase, behind it
    CAPTURE(stop);
    RunOptions stopped = students.student("stopped" + std::to_string(stop));
    stopped.max_steps = stop;
    run(stopped);
    stopped.max_steps = 0;
    run(stopped, true);
    check_same_run(whole.out, stopped.out);
    CHECK(contents(whole.out + "/phases.jsonl") == contents(stopped.out + "/phases.jsonl"));
  }
}

TEST_CASE("tst: the teacher sees the changed images also where the others never change") {
  const Students students;
  RunOptions o = students.student("plain");
  o.augment = "none";
  const Ledger ledger = run(o).result.ledger;
  CHECK(ledger.teacher_forward == 3 * 2 * 50 + 2 * 2 * 50);  // nothing is cached
}

TEST_CASE("tst: a stop within a phase loses the phase and no more") {
  const Students students;
  const RunOptions whole = students.student("whole");
  run(whole);
  RunOptions stopped = students.student("stopped");
  resolve(stopped);
  stopped.eval_every = 3;  // no checkpoint is due in between
  const LineSink dies = [](const std::string& line) {
    if (contains(line, "phase 2, epoch 1")) fail(ErrorKind::internal, "the roof is on fire");
  };
  CHECK(failure_of([&] { train(stopped, false, dies); }).says("roof"));
  const TrainedRun resumed = run(stopped, true);
  CHECK(contains(resumed.lines.at(0) + resumed.lines.at(1), "after 4 batches"));
  CHECK(scalars_of(whole.out, "magnitudes") == scalars_of(stopped.out, "magnitudes"));
  CHECK(contents(whole.out + "/phases.jsonl") == contents(stopped.out + "/phases.jsonl"));
  CHECK(contents(whole.out + "/predictions.csv") == contents(stopped.out + "/predictions.csv"));
}

TEST_CASE("tst: ablations") {
  const Students students;
  RunOptions o = students.student("untrained");
  o.tst_module = "untrained";
  o.tst_phases = {};
  o.tst_length = -1;
  CHECK(run(o).result.ledger.teacher_backward == 0);
  CHECK(!std::filesystem::exists(o.out + "/phases.jsonl"));
  CHECK(scalars_of(o.out, "magnitudes") == std::vector<float>(11, 0.0F));
  o = students.student("random");
  o.tst_module = "random";
  run(o);
  CHECK(scalars_of(o.out, "magnitudes") == std::vector<float>(11, 0.0F));  // no gradient reaches them
  CHECK(scalars_of(o.out, "probabilities") != std::vector<float>(14, 0.0F));
  std::vector<std::vector<float>> ends;
  for (const std::string terms : {"both", "teacher", "student"}) {  // and the ledger counts who passes gradients
    o = students.student("terms-" + terms);
    o.tst_terms = terms;
    const Ledger ledger = run(o).result.ledger;
    CHECK(ledger.teacher_backward == (terms == "student" ? 0 : 200));
    CHECK(ledger.student_backward == 300 + (terms == "teacher" ? 0 : 200));
    ends.push_back(scalars_of(o.out, "magnitudes"));
  }
  CHECK(ends[0] != ends[1]);
  CHECK(ends[0] != ends[2]);
  CHECK(ends[1] != ends[2]);
}

TEST_CASE("tst: what cannot be") {
  const auto refused = [&](const std::function<void(RunOptions&)>& change, const std::string& word) {
    RunOptions o = small_run("distill", "never");
    o.teacher = "somewhere";
    o.method = "tst";
    change(o);
    const Failure failure = failure_of([&] { resolve(o); });
    CHECK(failure.kind == ErrorKind::usage);
    CHECK_MESSAGE(failure.says(word), failure.message);
  };
  refused([](RunOptions& o) { o.tst_module = "quantum"; }, "--tst-module");
  refused([](RunOptions& o) { o.tst_terms = "none"; }, "--tst-terms");
  refused([](RunOptions& o) { o.regulation = "mask"; }, "--regulation off");
  refused([](RunOptions& o) { o.mix = "mixup"; }, "--mix none");
  refused([](RunOptions& o) { o.tst_phases = {0.5}; }, "--tst-phases 0.5");
  refused([](RunOptions& o) { o.tst_phases = {2}; }, "--tst-phases 2");
  refused([](RunOptions& o) { o.tst_phases = {1, 0}; }, "ascending");
  refused([](RunOptions& o) { o.tst_length = 0.5; }, "--tst-length");
  refused([](RunOptions& o) { o.method = "kd", o.tst_phases = {1}; }, "--tst-phases needs --method tst");
  const Students students;
  RunOptions o = students.student("nothing");
  std::filesystem::remove(students.folder / "teacher/encoders.safetensors");
  CHECK(failure_of([&] { run(o); }).says("encoders.safetensors"));
}
