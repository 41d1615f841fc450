// Self-regulation from end to end: who takes part in the backward pass, and what that does to the parameters.
#include <cmath>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

RunOptions masked_run(const std::string& out) {
  RunOptions o = small_run("teach", out);
  o.data = "synthetic:train=300,test=20,classes=3";
  o.regulation = "mask";
  o.epochs = 4;
  return o;
}

}  // namespace

TEST_CASE("regulation: at threshold 0 exactly the misclassified take part") {
  const TemporaryFolder folder;
  for (const std::string measure : {"max-probability", "margin", "entropy"}) {
    CAPTURE(measure);
    RunOptions o = masked_run(folder / measure);
    o.confidence = 0;
    o.confidence_measure = measure;
    run(o);
    std::int64_t all = 0, some = 0;
    for (const auto& epoch : metrics_of(folder / measure)) {
      const auto rows = epoch["rows"].get<std::int64_t>(), participants = epoch["participants"].get<std::int64_t>();
      const std::int64_t correct = std::llround(epoch["train_metric"].get<double>() * static_cast<double>(rows));
      CHECK(participants == rows - correct);
      all += rows;
      some += participants;
    }
    CHECK(some > 0);
    CHECK(some < all);
  }
}

TEST_CASE("regulation: above 1 everyone takes part, and the weights are those of conventional training, bit for bit") {
  const TemporaryFolder folder;
  for (const std::string net : {"lenet5-half", "resnet8"}) {
    CAPTURE(net);
    RunOptions o = masked_run(folder / (net + "-mask"));
    o.data = "synthetic:train=50,test=20,classes=3";
    o.net = net;
    o.epochs = 2;
    o.confidence = 1.01;
    run(o);
    for (const std::int64_t count : integers_of(o.out, "retort/counts")) CHECK(count == 2);
    RunOptions off = o;
    off.out = folder / (net + "-off");
    off.regulation = "off";
    run(off);
    CHECK(weights_of(o.out + "/last.safetensors") == weights_of(off.out + "/last.safetensors"));
  }
}

TEST_CASE("regulation: the threshold moves linearly from the first to the last epoch, and participation with it") {
  const TemporaryFolder folder;
  RunOptions o = masked_run(folder / "run");
  o.confidence = 0.9;
  o.confidence_end = 0.3;
  o.lr = 0;  // the network stays as it is, so only the threshold can change who takes part
  o.weight_decay = 0;
  run(o);
  const auto metrics = metrics_of(folder / "run");
  REQUIRE(metrics.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(metrics[i]["threshold"].get<double>() == doctest::Approx(0.9 - 0.2 * static_cast<double>(i)));
  CHECK(metrics[0]["participants"] == 300);
  CHECK(metrics[3]["participants"] < 300);
}

TEST_CASE("regulation: the random mask has the share that was asked for, of everyone, and draws anew every epoch") {
  const TemporaryFolder folder;
  RunOptions o = masked_run(folder / "run");
  o.data = "synthetic:train=1000,test=20,classes=3";
  o.mask = "random";
  o.random_share = 0.3;
  o.epochs = 2;
  const RunResult r = run(o).result;
  const double sigma = std::sqrt(0.3 * 0.7 / 2000);
  CHECK(std::abs(r.participation - 0.3) < 5 * sigma);
  int twice = 0;
  for (const std::int64_t count : integers_of(folder / "run", "retort/counts")) twice += count == 2;
  CHECK(std::abs(twice / 1000.0 - 0.09) < 5 * std::sqrt(0.09 * 0.91 / 1000));
}

TEST_CASE("regulation: random masks of everyone and of no one") {
  const TemporaryFolder folder;
  RunOptions o = masked_run(folder / "all");
  o.data = "synthetic:train=50,test=20,classes=3";
  o.mask = "random";
  o.random_share = 1;
  run(o);
  RunOptions off = o;
  off.out = folder / "off";
  off.regulation = "off";
  run(off);
  CHECK(weights_of(folder / "all/last.safetensors") == weights_of(folder / "off/last.safetensors"));

  RunOptions start = off;
  start.out = folder / "start";
  start.max_steps = 1;
  run(start);
  o.out = folder / "none";
  o.random_share = 0;
  o.weight_decay = 0;
  o.init = folder / "start";
  const RunResult none = run(o).result;
  CHECK(none.ledger.distinct_samples == 0);
  CHECK(none.participation == 0);
  CHECK(weights_of(folder / "none/last.safetensors") == weights_of(folder / "start/last.safetensors"));
  for (const auto& epoch : metrics_of(folder / "none")) CHECK(epoch["steps_without_participants"] == 4);
}

TEST_CASE("regulation: auto measures an epoch with a mask and turns to compact when few take part") {
  const TemporaryFolder folder;
  RunOptions o = masked_run(folder / "few");
  o.data = "synthetic:train=96,test=20,classes=3";
  o.regulation = "auto";
  o.scoring = "evaluation";
  o.mask = "random";
  o.random_share = 0.2;
  o.optimizer = "adamw";
  o.lr = 0.001;
  run(o);
  std::int64_t steps = 0;
  const auto metrics = metrics_of(folder / "few");
  CHECK(metrics[0]["regulation"] == "mask");
  for (std::size_t i = 1; i < metrics.size(); ++i) CHECK(metrics[i]["regulation"] == "compact");
  for (const auto& epoch : metrics) steps += epoch["steps"].get<std::int64_t>();
  // AdamW corrects its bias by the number of steps taken in all, under either regulation.
  const std::string last = folder / "few/last.safetensors";
  const nlohmann::json state = nlohmann::json::parse(read_safetensors(last).metadata.at("run_state"));
  CHECK(state["training"]["step"] == steps);

  o.out = folder / "many";
  o.random_share = 0.9;
  run(o);
  for (const auto& epoch : metrics_of(folder / "many")) CHECK(epoch["regulation"] == "mask");
}
