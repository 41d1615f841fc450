// What a run says it has cost is what it did: samples forward, backward, distinct, and the teacher's part.
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

std::int64_t sum(const std::vector<std::int64_t>& values) {
  std::int64_t total = 0;
  for (const std::int64_t value : values) total += value;
  return total;
}

std::int64_t positive(const std::vector<std::int64_t>& values) {
  std::int64_t n = 0;
  for (const std::int64_t value : values) n += value > 0;
  return n;
}

RunOptions student_run(const std::string& out, const std::string& teacher) {
  RunOptions o = small_run("distill", out);
  o.teacher = teacher;
  o.cache_teacher = "off";
  return o;
}

}  // namespace

TEST_CASE("ledger: conventional training takes every sample of every epoch, the last partial batch included") {
  const TemporaryFolder folder;
  const Ledger l = run(small_run("teach", folder / "run")).result.ledger;  // 50 samples, batches of 16, 2 epochs
  CHECK(l.teacher_forward == 100);
  CHECK(l.teacher_backward == 100);
  CHECK(l.distinct_samples == 50);
  CHECK(l.student_forward == 0);
  CHECK(l.student_backward == 0);
  const auto metrics = metrics_of(folder / "run");
  REQUIRE(metrics.size() == 2);
  CHECK(metrics[0]["steps"] == 4);
  CHECK(metrics[0]["rows"] == 50);
  CHECK(metrics[0]["participants"] == 50);
  CHECK(metrics[0]["ledger"]["teacher_forward"] == 50);
  CHECK(metrics[1]["ledger"]["teacher_forward"] == 100);
  CHECK(metrics[1]["ledger"]["flops"] == 2 * metrics[0]["ledger"]["flops"].get<double>());
  CHECK(result_of(folder / "run")["ledger"] == metrics[1]["ledger"]);
}

TEST_CASE("ledger: a part of an epoch, a batch larger than the data") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "part");
  o.epochs = 1.5;
  const Ledger part = run(o).result.ledger;
  CHECK(part.teacher_forward == 50 + 32);
  CHECK(metrics_of(folder / "part").size() == 2);
  o = small_run("teach", folder / "large");
  o.batch = 4096;
  const Ledger large = run(o).result.ledger;
  CHECK(large.teacher_forward == 100);
  CHECK(metrics_of(folder / "large")[0]["steps"] == 1);
}

TEST_CASE("ledger: a masked sample goes forward and costs its multiplications, but not backward") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "run");
  o.regulation = "mask";
  o.mask = "random";
  o.random_share = 0.3;
  const RunResult r = run(o).result;
  const auto counts = integers_of(folder / "run", "retort/counts");
  CHECK(r.ledger.teacher_forward == 100);
  CHECK(r.ledger.teacher_backward == sum(counts));
  CHECK(r.ledger.distinct_samples == positive(counts));
  CHECK(r.ledger.distinct_samples < 50);
  CHECK(r.participation == doctest::Approx(static_cast<double>(sum(counts)) / 100));
  o = small_run("teach", folder / "off");
  CHECK(run(o).result.ledger.flops == r.ledger.flops);
}

TEST_CASE("ledger: compact counts the scoring pass and the training pass") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "run");
  o.regulation = "compact";
  o.scoring = "evaluation";
  o.mask = "random";
  o.random_share = 0.6;
  const RunResult r = run(o).result;
  std::int64_t steps = 0;
  for (const auto& epoch : metrics_of(folder / "run")) steps += epoch["steps"].get<std::int64_t>();
  CHECK(steps > 0);
  CHECK(r.ledger.teacher_backward == 16 * steps);
  CHECK(r.ledger.teacher_forward == 100 + 16 * steps);
  CHECK(r.ledger.distinct_samples == sum(integers_of(folder / "run", "retort/entered")));
  // 1/3 of a conventional epoch for the scoring, and the rest only for those that are trained on.
  o = small_run("teach", folder / "off");
  const double conventional = run(o).result.ledger.flops;
  CHECK(r.ledger.flops < conventional);
  CHECK(r.ledger.flops > 0.3 * conventional);
}

TEST_CASE("ledger: a student and its teacher, online and cached") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  run(small_run("teach", teacher));
  RunOptions o = small_run("teach", folder / "alone");
  o.epochs = 1;
  const double alone = run(o).result.ledger.flops;
  o = student_run(folder / "online", teacher);
  const Ledger online = run(o).result.ledger;
  CHECK(online.student_forward == 100);
  CHECK(online.student_backward == 100);
  CHECK(online.teacher_forward == 100);
  CHECK(online.teacher_backward == 0);
  o = student_run(folder / "cached", teacher);
  o.cache_teacher = "on";
  o.augment = "none";
  const Ledger cached = run(o).result.ledger;
  CHECK(cached.student_forward == 100);
  CHECK(cached.teacher_forward == 50);
  // Both networks are the same, so one epoch of the teacher's forward passes is what the second online epoch costs more.
  const double teacher_epoch = online.flops - cached.flops;
  CHECK(teacher_epoch > 0);
  CHECK(online.flops == 2 * (alone + teacher_epoch));
}

TEST_CASE("ledger: a significance subset forwards its samples only") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  run(small_run("teach", teacher));
  // Samples 0, 2, 4, ..., 40: 21 of 50, which is a batch of 16 and one of 5.
  std::ofstream csv(folder / "s.csv");
  csv << "# epochs=4\nindex,label,count\n";
  const Dataset data = load_dataset("synthetic:train=50,test=20,classes=4");
  for (int i = 0; i < 50; ++i) {
    csv << i << ',' << data.train.labels[static_cast<std::size_t>(i)] << ',' << (i % 2 == 0 && i <= 40 ? 1 + i % 3 : 0) << '\n';
  }
  csv.close();
  RunOptions o = student_run(folder / "run", teacher);
  o.method = "significance";
  o.significance = folder / "s.csv";
  const RunResult r = run(o).result;
  CHECK(r.train_samples == 50);
  CHECK(r.samples_in_use == 21);
  CHECK(r.ledger.student_forward == 42);
  CHECK(r.ledger.student_backward == 42);
  CHECK(r.ledger.teacher_forward == 42);
  CHECK(r.ledger.distinct_samples == 21);
  const auto entered = integers_of(folder / "run", "retort/entered");
  for (int i = 0; i < 50; ++i) CHECK(entered[static_cast<std::size_t>(i)] == (i % 2 == 0 && i <= 40 ? 1 : 0));
  CHECK(metrics_of(folder / "run")[0]["steps"] == 2);
}
