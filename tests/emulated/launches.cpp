// What a step consists of: on small images a GPU waits for launches more than for anything else, so one that is added
// shows here.
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

using Launches = std::map<std::string, int>;

/// The launches of the recorded step that updates parameters, by name, out of a list that the emulated device wrote.
Launches training_step(const std::string& list) {
  std::ifstream file(list);
  Launches step;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (line.starts_with("recorded")) {
      if (step.count("sgd_update") != 0) break;
      step.clear();
      continue;
    }
    int count = 0;
    std::string name;
    words >> count >> std::ws;
    std::getline(words, name);
    step[name] = count;
  }
  REQUIRE(step.count("sgd_update") == 1);
  return step;
}

std::string written(const Launches& launches) {
  std::string all;
  for (const auto& [name, count] : launches) all += std::to_string(count) + " " + name + "\n";
  return all;
}

/// Of a WRN-10-1 that learns from a ResNet-8.
Launches distillation_step(const TemporaryFolder& folder, const std::string& precision) {
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--data", "synthetic:train=60,test=20,classes=3", "--device", "cuda", "--threads", "2",
                               "--epochs", "1", "--batch", "16", "--max-steps", "3", "--precision", precision});
    check_done(retort_program(words));
  };
  run({"teach", "--net", "resnet8", "--out", folder / "teacher-" + precision});
  setenv("RETORT_EMULATED_LIST", (folder / precision).c_str(), 1);
  run({"distill", "--method", "kd", "--net", "wrn-10-1", "--augment", "crop", "--teacher",
       folder / "teacher-" + precision, "--out", folder / "student-" + precision});
  unsetenv("RETORT_EMULATED_LIST");
  return training_step(folder / precision);
}

}  // namespace

TEST_CASE("launches: of a step of distillation") {
  const TemporaryFolder folder;
  Launches expected = {
      {"begin_step", 1},
      {"copy", 1},  // of the running statistics
      {"gather_augment", 1},
      // The teacher, whose batch norms are all folded. Its first convolution is one of those that the emulated device
      // does not fuse.
      {"finish_convolution", 1},
      {"fused convolution", 8},
      {"batch_norm statistics", 7},
      {"batch_norm normalise", 7},
      {"global_avg_pool_forward", 2},
      {"matrix product", 4},
      {"distillation_loss", 1},
      {"column_sums", 1},
      {"global_avg_pool_backward", 1},
      {"batch_norm gradient sums", 7},
      {"batch_norm input gradient", 7},
      {"convolution forward", 10},
      {"convolution data gradient", 8},
      {"convolution filter gradient", 9},
      {"add", 1},  // of two parts of a gradient
      {"gradient_norm", 2},
      {"judge_step", 1},
      {"sgd_update", 1},
      {"commit_step", 1},
  };
  CHECK(written(distillation_step(folder, "fp32")) == written(expected));
  expected["widen_all"] = 1;  // the filters' gradients
  CHECK(written(distillation_step(folder, "bf16")) == written(expected));
}
