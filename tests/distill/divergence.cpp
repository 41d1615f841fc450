// A step whose loss or gradient is not finite is skipped whole; ten in a row end the run.
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

bool finite(const std::map<std::string, std::vector<float>>& weights) {
  for (const auto& [name, values] : weights) {
    for (const float value : values) {
      if (!std::isfinite(value)) return false;
    }
  }
  return true;
}

/// Eight batches an epoch, so that ten skipped steps in a row span epochs.
std::vector<std::string> teach(const std::string& out, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"teach",    "--data",  "synthetic:train=120,test=20,classes=4",
                                        "--net",    "resnet8", "--threads",
                                        "2",        "--batch", "16",
                                        "--epochs", "4",       "--schedule",
                                        "constant", "--out",   out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("divergence: parameters that are not finite are never updated, and ten steps end the run") {
  const TemporaryFolder folder;
  check_done(retort_program(teach(folder / "start", {"--max-steps", "1"})));
  TensorFile file = read_safetensors(folder / "start/last.safetensors");
  const std::string name = "fc.weight";
  REQUIRE(file.has(name));
  std::vector<float> values = file.at(name).to_floats();
  for (const float poison : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::string out = folder / (std::isnan(poison) ? "nan" : "inf");
    values[0] = poison;
    file.tensors[name] = FileTensor::of(values, file.at(name).shape);
    write_safetensors(folder / "bad.safetensors", file);
    const auto before = weights_of(folder / "bad.safetensors");
    // Stopped before the tenth: what a skipped step leaves behind.
    const Finished stopped = check_done(
        retort_program(teach(out, {"--init", folder / "bad.safetensors", "--max-steps", "5", "--regulation", "mask"})));
    CHECK(contains(stopped.out, "batch 5: loss is not finite; step skipped (5 in a row, 5 in all)"));
    for (const auto& [parameter, now] : weights_of(out + "/last.safetensors")) {
      // Bit patterns, since NaN equals nothing.
      CHECK_MESSAGE(std::memcmp(now.data(), before.at(parameter).data(), now.size() * sizeof(float)) == 0, parameter);
    }
    for (const std::int64_t count : integers_of(out, "retort/counts")) CHECK(count == 0);
    for (const std::int64_t entered : integers_of(out, "retort/entered")) CHECK(entered == 0);
    const Finished finished = retort_program({"teach", "--resume", "--out", out});
    check_refused(finished, 6, {"training diverged", "10 steps in a row", out});
    CHECK(contains(finished.out, "batch 10: loss is not finite; step skipped (10 in a row, 10 in all)"));
    CHECK_FALSE(std::filesystem::exists(out + "/result.json"));
  }
}

TEST_CASE("divergence: an absurd learning rate keeps the last good checkpoint") {
  const TemporaryFolder folder;
  for (const std::string save_every : {"0", "1"}) {
    CAPTURE(save_every);
    const std::string out = folder / ("run-" + save_every);
    check_done(retort_program(teach(out, {"--max-steps", "9", "--lr", "0.05"})));
    // The same run at a rate at which float overflows.
    RunOptions o = from_toml(contents(out + "/config.toml"), "config.toml");
    o.lr = 1000;
    o.clip_norm = 0;
    put_text(out + "/config.toml", to_toml(o));
    const Finished finished = retort_program({"teach", "--resume", "--out", out, "--save-every-steps", save_every});
    check_refused(finished, 6, {"training diverged", "last good checkpoint is kept in " + out, "--lr"});
    // Which overflows first, the loss or a running variance, is a matter of rounding; one of the two has to be said.
    if (save_every == "0") {
      const bool skipped = contains(finished.out, "is not finite; step skipped (1 in a row");
      const bool overflowed = contains(finished.err, "is no longer finite");
      CHECK(skipped != overflowed);
    }
    CHECK(finite(weights_of(out + "/last.safetensors")));
    check_done(retort_program({"evaluate", "--checkpoint", out, "--data", "synthetic:train=120,test=20,classes=4"}));
  }
}

TEST_CASE("divergence: the count of skipped steps goes on where a resume finds it") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "run");
  o.max_steps = 2;
  run(o);
  const std::string last = folder / "run/last.safetensors";
  TensorFile file = read_safetensors(last);
  const std::string name = file.tensors.begin()->first;
  std::vector<float> values = file.at(name).to_floats();
  values[0] = std::numeric_limits<float>::quiet_NaN();
  file.tensors[name] = FileTensor::of(values, file.at(name).shape);
  write_safetensors(last, file);
  o.max_steps = 3;
  const TrainedRun first = run(o, true);
  CHECK(first.result.skipped == 1);
  CHECK(contains(first.lines.at(1), "batch 3: loss is not finite; step skipped (1 in a row, 1 in all)"));
  o.max_steps = 5;  // over the end of the epoch
  const TrainedRun second = run(o, true);
  CHECK(second.result.skipped == 3);
  CHECK(contains(second.lines.at(1), "(2 in a row, 2 in all)"));
  CHECK(metrics_of(folder / "run").at(0)["skipped"] == 2);
  CHECK(metrics_of(folder / "run").at(0)["steps"] == 2);
  CHECK(metrics_of(folder / "run").at(0)["rows"] == 32);  // those of the steps that were applied
}
