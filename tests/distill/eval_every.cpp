// Evaluations with epochs between them: fewer lines and checkpoints, and the same training.
#include "kernels/error.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

RunOptions seven_epochs(const std::string& out, int every) {
  RunOptions o = small_run("teach", out);
  o.regulation = "mask";
  o.confidence = 0.6;
  o.epochs = 6.5;
  o.eval_every = every;
  return o;
}

std::int64_t total_of(const std::string& folder, const char* field) {
  std::int64_t total = 0;
  for (const auto& line : metrics_of(folder)) total += line[field].get<std::int64_t>();
  return total;
}

}  // namespace

TEST_CASE("eval-every: trains as it would without, and adds up what lies between") {
  const TemporaryFolder folder;
  const RunOptions often = seven_epochs(folder / "often", 1), seldom = seven_epochs(folder / "seldom", 3);
  run(often);
  run(seldom);
  CHECK(weights_of(often.out + "/last.safetensors") == weights_of(seldom.out + "/last.safetensors"));
  CHECK(contents(often.out + "/significance.csv") == contents(seldom.out + "/significance.csv"));
  CHECK(contents(often.out + "/predictions.csv") == contents(seldom.out + "/predictions.csv"));
  const auto every = metrics_of(often.out), few = metrics_of(seldom.out);
  REQUIRE(every.size() == 7);
  REQUIRE(few.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t same = i == 2 ? 6 : 3 * i + 2;
    CHECK(few[i]["epoch"] == (i == 2 ? 7 : 3 * (static_cast<int>(i) + 1)));
    CHECK(few[i]["test_loss"] == every[same]["test_loss"]);
    CHECK(few[i]["ledger"] == every[same]["ledger"]);
  }
  for (const char* field : {"rows", "participants", "steps"})
    CHECK(total_of(often.out, field) == total_of(seldom.out, field));
  std::int64_t rows = 0, participants = 0;
  for (const auto& line : few) {
    for (const auto& n : line["rows_by_class"]) rows += n.get<std::int64_t>();
    for (const auto& n : line["participants_by_class"]) participants += n.get<std::int64_t>();
  }
  CHECK(rows == total_of(seldom.out, "rows"));
  CHECK(participants == total_of(seldom.out, "participants"));
}

TEST_CASE("eval-every: a run that is stopped between two evaluations goes on from there") {
  const TemporaryFolder folder;
  const RunOptions whole = seven_epochs(folder / "whole", 3);
  run(whole);
  for (const int steps : {2, 4, 6, 8, 12, 16, 25}) {  // four steps an epoch: within one, between two, at an evaluation
    CAPTURE(steps);
    RunOptions o = seven_epochs(folder / ("stopped-" + std::to_string(steps)), 3);
    o.max_steps = steps;
    CHECK(!run(o).result.finished);
    o.max_steps = 0;
    run(o, true);
    check_same_run(whole.out, o.out);
  }
}

TEST_CASE("eval-every: a checkpoint between two evaluations claims no accuracy") {
  const TemporaryFolder folder;
  RunOptions o = seven_epochs(folder / "run", 3);
  o.max_steps = 8;
  run(o);
  CHECK(read_safetensors(o.out + "/last.safetensors").metadata.count("last_metric") == 0);
  RunOptions at = seven_epochs(folder / "at", 3);
  at.max_steps = 12;
  run(at);
  CHECK(read_safetensors(at.out + "/last.safetensors").metadata.count("last_metric") == 1);
}

TEST_CASE("eval-every: what cannot be") {
  RunOptions o = seven_epochs("never", 0);
  CHECK(failure_of([&] { resolve(o); }).says("--eval-every"));
  o.eval_every = 2;
  o.regulation = "compact";
  o.scoring = "training";
  o.rescore = 3;
  CHECK(failure_of([&] { resolve(o); }).says("--rescore 3 needs --eval-every 1"));
}
