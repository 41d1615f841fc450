// What an epoch says of each class, and what is written of the test split at the end.
#include "distill/predictions.h"
#include "distill/run_setup.h"
#include "distill/significance.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

std::int64_t sum(const nlohmann::json& numbers) {
  std::int64_t total = 0;
  for (const auto& number : numbers) total += number.get<std::int64_t>();
  return total;
}

/// Participants of each class over all epochs, as metrics.jsonl says.
std::vector<std::int64_t> over_all_epochs(const std::string& folder) {
  std::vector<std::int64_t> total(4);
  for (const auto& line : metrics_of(folder)) {
    for (std::size_t c = 0; c < 4; ++c) total[c] += line["participants_by_class"][c].get<std::int64_t>();
  }
  return total;
}

/// The same from the samples' counts.
std::vector<std::int64_t> from_counts(const std::string& folder) {
  const Significance s = read_significance_csv(folder + "/significance.csv");
  std::vector<std::int64_t> total(4);
  for (std::size_t i = 0; i < s.count.size(); ++i) total[static_cast<std::size_t>(s.label[i])] += s.count[i];
  return total;
}

}  // namespace

TEST_CASE("by class: an epoch's rows and participants, whatever the regulation") {
  const TemporaryFolder folder;
  for (const std::string regulation : {"mask", "compact", "auto"}) {
    CAPTURE(regulation);
    RunOptions o = small_run("teach", folder / regulation);
    o.regulation = regulation;
    if (regulation != "mask") o.scoring = "training";
    o.epochs = 2.5;  // the last epoch sees a part of each class
    run(o);
    const auto lines = metrics_of(o.out);
    REQUIRE(lines.size() == 3);
    for (const auto& line : lines) {
      REQUIRE(line["rows_by_class"].size() == 4);
      CHECK(sum(line["rows_by_class"]) == line["rows"]);
      CHECK(sum(line["participants_by_class"]) == line["participants"]);
      for (std::size_t c = 0; c < 4; ++c) CHECK(line["participants_by_class"][c] <= line["rows_by_class"][c]);
    }
    CHECK(lines[0]["rows"] == 50);
    CHECK(lines[2]["rows"] < 50);
    CHECK(over_all_epochs(o.out) == from_counts(o.out));
  }
  run(small_run("teach", folder / "off"));
  for (const auto& line : metrics_of(folder / "off")) CHECK(!line.contains("participants_by_class"));
}

TEST_CASE("by class: a run stopped within an epoch comes to the same") {
  const TemporaryFolder folder;
  const auto options = [&](const std::string& out) {
    RunOptions o = small_run("teach", folder / out);
    o.regulation = "mask";
    return o;
  };
  run(options("whole"));
  RunOptions parts = options("parts");
  parts.max_steps = 2;
  run(parts);
  parts.max_steps = 6;
  run(parts, true);
  parts.max_steps = 0;
  run(parts, true);
  check_same_run(folder / "whole", folder / "parts");
  CHECK(sum(metrics_of(folder / "parts")[1]["participants_by_class"]) > 0);
}

TEST_CASE("predictions: of the test split after the last epoch, also where the end was not reached before") {
  const TemporaryFolder folder;
  const RunOptions o = small_run("teach", folder / "run");
  run(o);
  const std::string path = o.out + "/predictions.csv", written = contents(path);
  const Predictions p = read_predictions_csv(path);
  const Dataset data = load_dataset(o.data);
  CHECK(p.label == data.test.labels);
  int right = 0;
  for (std::size_t i = 0; i < p.label.size(); ++i) {
    CHECK(p.index[i] == static_cast<int>(i));
    right += p.label[i] == p.prediction[i];
  }
  CHECK(right / 20.0 == doctest::Approx(metrics_of(o.out).back()["test_metric"].get<double>()));
  const auto confusion = confusion_of(p, 4);
  CHECK(confusion[0][0] + confusion[1][1] + confusion[2][2] + confusion[3][3] == right);

  // As if it had been killed between its last checkpoint and its end.
  std::filesystem::remove(path);
  run(o, true);
  CHECK(contents(path) == written);
  RunOptions held = small_run("teach", folder / "held");
  held.val_split = 10;
  run(held);
  CHECK(read_predictions_csv(held.out + "/predictions.csv").index == dataset_of(held).test.source);
}

TEST_CASE("predictions: damaged files are named, with the line") {
  const TemporaryFolder folder;
  const std::string path = folder / "predictions.csv";
  const auto reading = [&](const std::string& text) {
    put_text(path, text);
    return failure_of([&] { read_predictions_csv(path); });
  };
  CHECK(reading("").blames(path + ":1"));
  CHECK(reading("index,label,count\n1,2,3\n").blames(path + ":1"));
  CHECK(reading("index,label,prediction\n").blames("no samples"));
  for (const char* line : {"1,2", "1,2,3,4", "1,-2,3", "1,2,x", "1,2,99999999999", "1,,3"}) {
    CAPTURE(std::string(line));
    CHECK(reading(std::string("index,label,prediction\n0,1,2\n") + line + "\n").blames(path + ":3"));
  }
  CHECK(!reading("index,label,prediction\n0,1,2\n").failed);
}
