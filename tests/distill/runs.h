// Small runs for tests, and what two of them must have in common to be the same run.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "distill/run_folder.h"
#include "distill/trainer.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"

namespace retort::test {

inline void put_text(const std::string& path, const std::string& text) {
  put(path, std::vector<std::uint8_t>(text.begin(), text.end()));
}

/// The objects of metrics.jsonl without the one thing two identical runs do not share.
inline std::vector<nlohmann::json> metrics_of(const std::string& folder) {
  std::vector<nlohmann::json> lines;
  std::ifstream in(folder + "/metrics.jsonl");
  for (std::string line; std::getline(in, line);) {
    lines.push_back(nlohmann::json::parse(line));
    CHECK(lines.back().erase("timing") == 1);
  }
  return lines;
}

inline nlohmann::json result_of(const std::string& folder) {
  const std::string text = contents(folder + "/result.json");
  if (text.empty()) return nullptr;
  nlohmann::json object = nlohmann::json::parse(text);
  CHECK(object.erase("timing") == 1);
  return object;
}

/// Both are finished, and every file is the same to the last bit, except for seconds.
inline void check_same_run(const std::string& a, const std::string& b) {
  for (const char* name : {"last.safetensors", "best.safetensors", "predictions.csv", "significance.csv"}) {
    const std::string x = contents(a + "/" + name), y = contents(b + "/" + name);
    const std::string what = name;
    const bool same = x == y, there = !x.empty() || what == "significance.csv";  // which regulation alone writes
    CHECK_MESSAGE(same, what << " differs between " << a << " and " << b);
    CHECK_MESSAGE(there, what << " is not there");
  }
  CHECK(!metrics_of(a).empty());
  const bool same_metrics = metrics_of(a) == metrics_of(b), same_result = result_of(a) == result_of(b);
  CHECK_MESSAGE(same_metrics, "metrics.jsonl differs between " << a << " and " << b);
  CHECK(!result_of(a).is_null());
  CHECK_MESSAGE(same_result, "result.json differs between " << a << " and " << b);
}

/// A LeNet on synthetic images, one thread, plain schedule; a test changes what it is about.
inline RunOptions small_run(const std::string& command, const std::string& out) {
  RunOptions o;
  o.command = command;
  o.data = "synthetic:train=50,test=20,classes=4";
  o.net = "lenet5-half";
  o.out = out;
  o.threads = 1;
  o.epochs = 2;
  o.batch = 16;
  o.lr = 0.05;
  o.schedule = "constant";
  return o;
}

struct TrainedRun {
  RunResult result;
  std::vector<std::string> lines;  ///< what the run said
};

inline TrainedRun run(RunOptions options, bool resume = false) {
  resolve(options);
  TrainedRun trained;
  trained.result = train(options, resume, [&](const std::string& line) { trained.lines.push_back(line); });
  return trained;
}

/// The network's tensors in a checkpoint: no state of the run, no metadata.
inline std::map<std::string, std::vector<float>> weights_of(const std::string& path) {
  std::map<std::string, std::vector<float>> weights;
  for (const auto& [name, tensor] : read_safetensors(path).tensors) {
    if (name.rfind("retort/", 0) != 0) weights[name] = tensor.to_floats();
  }
  REQUIRE(!weights.empty());
  return weights;
}

/// One tensor of integers in a run's last checkpoint.
inline std::vector<std::int64_t> integers_of(const std::string& folder, const std::string& name) {
  return read_safetensors(folder + "/last.safetensors").at(name).to_integers();
}

}  // namespace retort::test
