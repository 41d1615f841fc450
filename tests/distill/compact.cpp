// Compact regulation: batches are scored, participants wait in a queue, full batches of them are trained on.
#include <algorithm>
#include <cmath>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

/// Everyone takes part, in the order of the data: what is in the queue can be said by hand.
RunOptions compact_run(const std::string& out) {
  RunOptions o = small_run("teach", out);  // 50 samples, batches of 16
  o.regulation = "compact";
  o.scoring = "evaluation";
  o.confidence = 1.01;
  o.shuffle = "off";
  return o;
}

}  // namespace

TEST_CASE("compact: the queue is carried across epochs, and what is trained on is what was queued") {
  const TemporaryFolder folder;
  RunOptions o = compact_run(folder / "one");
  o.epochs = 1;
  run(o);
  CHECK(integers_of(folder / "one", "retort/queue") == std::vector<std::int64_t>{48, 49});
  const auto entered = integers_of(folder / "one", "retort/entered");
  for (std::size_t i = 0; i < 50; ++i) CHECK(entered[i] == (i < 48 ? 1 : 0));
  CHECK(metrics_of(folder / "one")[0]["steps"] == 3);

  o = compact_run(folder / "two");
  const RunResult r = run(o).result;
  // The stream 0..49, 0..49 in batches of 16: six of them, and four samples left.
  CHECK(integers_of(folder / "two", "retort/queue") == std::vector<std::int64_t>{46, 47, 48, 49});
  CHECK(r.ledger.teacher_backward == 96);
  CHECK(r.ledger.distinct_samples == 50);
  CHECK(metrics_of(folder / "two")[1]["steps"] == 3);
}

TEST_CASE("compact: where everyone takes part and every batch is full, it is conventional training, bit for bit") {
  const TemporaryFolder folder;
  for (const std::string shuffle : {"off", "on"}) {
    CAPTURE(shuffle);
    RunOptions o = compact_run(folder / ("compact-" + shuffle));
    o.data = "synthetic:train=48,test=20,classes=4";
    o.augment = "crop";
    o.shuffle = shuffle;
    run(o);
    RunOptions off = o;
    off.out = folder / ("off-" + shuffle);
    off.regulation = "off";
    run(off);
    CHECK(weights_of(o.out + "/last.safetensors") == weights_of(off.out + "/last.safetensors"));
  }
}

TEST_CASE("compact: every participant is trained on once or still waits") {
  const TemporaryFolder folder;
  RunOptions o = compact_run(folder / "run");
  o.mask = "random";
  o.random_share = 0.4;
  o.shuffle = "on";
  o.epochs = 3;
  const RunResult r = run(o).result;
  const auto counts = integers_of(folder / "run", "retort/counts"), queue = integers_of(folder / "run", "retort/queue"),
             entered = integers_of(folder / "run", "retort/entered");
  std::int64_t counted = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counted += counts[i];
    const auto waiting = std::count(queue.begin(), queue.end(), static_cast<std::int64_t>(i));
    CHECK(entered[i] == (counts[i] > waiting ? 1 : 0));
  }
  CHECK(counted == r.ledger.teacher_backward + static_cast<std::int64_t>(queue.size()));
  CHECK(queue.size() < 16);
}

TEST_CASE("compact: scoring in training mode moves the running statistics, in evaluation mode it does not") {
  const TemporaryFolder folder;
  const auto statistics = [&](const std::string& scoring) {
    RunOptions o = compact_run(folder / scoring);
    o.net = "resnet8";
    o.scoring = scoring;
    o.mask = "random";
    o.random_share = 0;  // never a training step
    o.epochs = 1;
    o.data = "synthetic:train=20,test=10,classes=4";
    run(o);
    return weights_of(folder / scoring + "/last.safetensors").at("bn1.running_mean");
  };
  const auto still = statistics("evaluation"), moved = statistics("training");
  CHECK(still == std::vector<float>(still.size(), 0.0F));
  CHECK(moved != still);
}

TEST_CASE("compact: a step that stands for several scored batches decays the weights as they would have") {
  const TemporaryFolder folder;
  // 64 samples in batches of 16. Trained on everyone: four steps, each with the decay of one batch. With a learning
  // rate so small that gradients do not count, the product of all decays is what is left of a weight.
  const auto norm = [&](const std::string& out, double share) {
    RunOptions o = compact_run(folder / out);
    o.data = "synthetic:train=512,test=10,classes=4";
    o.mask = "random";
    o.random_share = share;
    o.momentum = 0;
    o.lr = 1e-3;
    o.weight_decay = 10;
    o.clip_norm = 1e-6;
    o.epochs = 1;
    run(o);
    double sum = 0;
    const auto weights = weights_of(folder / out + "/last.safetensors");
    for (const float w : weights.at("fc1.weight")) sum += static_cast<double>(w) * static_cast<double>(w);
    return std::sqrt(sum);
  };
  const double everyone = norm("everyone", 1), quarter = norm("quarter", 0.25);
  const double start = everyone / std::pow(1 - 1e-3 * 10, 32);  // 32 batches
  CHECK(everyone < 0.8 * start);
  CHECK(quarter == doctest::Approx(everyone).epsilon(0.1));  // the batches of the last, unfinished step are missing
  CHECK(quarter < 0.85 * start);
}

TEST_CASE("compact: with --rescore a sample's mask is used again, and nothing is scored in between") {
  const TemporaryFolder folder;
  RunOptions o = compact_run(folder / "run");  // 50 samples
  o.mask = "random";                           // drawn anew each epoch, where it is drawn
  o.random_share = 0.5;
  o.shuffle = "on";
  o.epochs = 6;
  o.rescore = 3;
  const RunResult r = run(o).result;
  const auto metrics = metrics_of(folder / "run");
  REQUIRE(metrics.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(metrics[i]["mask_age"] == i % 3);
    CHECK(metrics[i]["rows"] == 50);
    CHECK(metrics[i]["participants"] == metrics[i - i % 3]["participants"]);
  }
  // The same who took part three times, and who did not.
  for (const std::int64_t count : integers_of(folder / "run", "retort/counts")) CHECK(count % 3 == 0);
  // Two epochs of scoring, and the training steps.
  CHECK(r.ledger.teacher_forward == 2 * 50 + r.ledger.teacher_backward);
  RunOptions each = o;
  each.out = folder / "each";
  each.rescore = 1;
  const RunResult exact = run(each).result;
  CHECK(exact.ledger.teacher_forward == 6 * 50 + exact.ledger.teacher_backward);
}

TEST_CASE("compact: a run with --rescore that is stopped among recalled masks goes on with them") {
  const TemporaryFolder folder;
  RunOptions o = compact_run(folder / "whole");
  o.confidence = 0.3;
  o.shuffle = "on";
  o.epochs = 4;
  o.rescore = 2;
  run(o);
  RunOptions stopped = o;
  stopped.out = folder / "stopped";
  stopped.max_steps = 6;  // of four batches an epoch: in the middle of the second
  run(stopped);
  stopped.max_steps = 0;
  run(stopped, true);
  check_same_run(folder / "whole", folder / "stopped");
}
