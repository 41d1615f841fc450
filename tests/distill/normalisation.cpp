// How images are normalised belongs to a network's file: written by training, followed by whoever uses the file.
#include "distill/normalisation.h"

#include <cmath>

#include "distill/checkpoint.h"
#include "tests/distill/runs.h"
#include "tests/engine/expect_error.h"

using namespace retort;
using namespace retort::test;

namespace {

const std::string data = "synthetic:train=50,test=20,classes=4";

nlohmann::json evaluated(const std::string& checkpoint) {
  return nlohmann::json::parse(
      check_done(retort_program({"evaluate", "--checkpoint", checkpoint, "--data", data, "--threads", "1", "--json"}))
          .out);
}

/// The file with other constants in it.
std::string with_constants(const std::string& from, const std::string& to, const std::string& mean,
                           const std::string& deviation) {
  TensorFile file = read_safetensors(from);
  file.metadata["mean"] = mean;
  file.metadata["std"] = deviation;
  file.metadata.erase("last_metric");
  write_safetensors(to, file);
  return to;
}

}  // namespace

TEST_CASE("normalisation: a run's checkpoints say what the data set says, to the last digit") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "run");
  run(o);
  const Dataset set = load_dataset(data);
  for (const char* name : {"/last.safetensors", "/best.safetensors"}) {
    const auto found = normalisation_of(read_safetensors(o.out + name), name, 3);
    REQUIRE(found);
    CHECK(*found == normalisation_of(set));
  }
}

TEST_CASE("normalisation: numbers survive being written") {
  TensorFile file;
  const Normalisation n{{0.1F, -1.0F / 3, 1e-30F}, {3.4e38F, 0.2675F, 1.0F}};
  add_normalisation(file, n);
  CHECK(*normalisation_of(file, "file", 3) == n);
  CHECK(to_text(Normalisation{{0.5071F, 0.4867F, 0.4408F}, {0.25F, 0.5F, 1}}) ==
        "mean 0.5071,0.4867,0.4408, std 0.25,0.5,1");
  CHECK_FALSE(normalisation_of(TensorFile(), "file", 3));
}

TEST_CASE("normalisation: what is none is refused") {
  const auto complaint = [](const std::string& mean, const std::string& deviation, int channels = 3) {
    TensorFile file;
    if (!mean.empty()) file.metadata["mean"] = mean;
    if (!deviation.empty()) file.metadata["std"] = deviation;
    const std::string message =
        message_of(ErrorKind::input, [&] { normalisation_of(file, "some.safetensors", channels); });
    CHECK(message.starts_with("some.safetensors: "));
    return message;
  };
  check_contains(complaint("0,0,0", ""), "without the other");
  check_contains(complaint("", "1,1,1"), "without the other");
  check_contains(complaint("0,0", "1,1,1"), "2 means and 3 deviations for 3 channels");
  check_contains(complaint("0,0,0", "1,1,1", 1), "3 means and 3 deviations for 1 channels");
  check_contains(complaint("0,0,0", "1,0,1"), "positive");
  check_contains(complaint("0,0,0", "1,-1,1"), "positive");
  check_contains(complaint("0,nan,0", "1,1,1"), "nan");
  check_contains(complaint("0,0,0", "1,inf,1"), "inf");
  for (const std::string bad : {"a", "0,0,", ",0,0,0", "0 0 0", "0,0,0,0,0", "0,0,0x", "1e999,0,0"}) {
    CAPTURE(bad);
    check_contains(complaint(bad, "1,1,1"), "metadata 'mean' is '" + bad + "', no list of numbers");
  }
  check_contains(complaint("0,0,\n", "1,1,1"), "'0,0,?'");
}

TEST_CASE("normalisation: evaluate follows the file, not the data set") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "run");
  o.epochs = 4;
  run(o);
  const std::string file = o.out + "/last.safetensors";
  const nlohmann::json own = evaluated(file);
  TensorFile plain = read_safetensors(file);  // as an older version wrote it: the data set's
  plain.metadata.erase("mean");
  plain.metadata.erase("std");
  write_safetensors(folder / "plain.safetensors", plain);
  CHECK(evaluated(folder / "plain.safetensors") == own);
  const nlohmann::json other = evaluated(with_constants(file, folder / "other.safetensors", "0,0,0", "1,1,1"));
  CHECK(std::abs(other["loss"].get<double>() - own["loss"].get<double>()) > 1e-4);
  check_refused(retort_program({"evaluate", "--checkpoint",
                                with_constants(file, folder / "bad.safetensors", "0,0", "1,1"), "--data", data}),
                3, {folder / "bad.safetensors", "2 means"});
}

// The first convolution takes s x + b per channel where the images are divided by s and shifted: the same network, seen
// through other constants. With padding the two differ at the border unless zero means the same, so only std changes.
TEST_CASE("normalisation: a student sees images as its teacher does, and says so in its own file") {
  const TemporaryFolder folder;
  RunOptions t = small_run("teach", folder / "teacher");
  t.epochs = 3;
  const double accuracy = run(t).result.last;
  const std::string file = t.out + "/last.safetensors", twin = folder / "twin.safetensors";
  TensorFile doubled = read_safetensors(file);
  const Normalisation own = *normalisation_of(doubled, file, 3);
  Normalisation wider = own;
  for (float& value : wider.std) value *= 2;
  std::vector<float> weight = doubled.at("conv1.weight").to_floats();
  for (float& value : weight) value *= 2;
  doubled.tensors["conv1.weight"] = FileTensor::of(weight, doubled.at("conv1.weight").shape);
  add_normalisation(doubled, wider);
  write_safetensors(twin, doubled);
  CHECK(evaluated(twin) == evaluated(file));

  RunOptions o = small_run("distill", folder / "student");
  o.teacher = twin;
  const TrainedRun student = run(o);
  CHECK(student.result.teacher_metric == accuracy);
  const bool said = std::any_of(student.lines.begin(), student.lines.end(), [&](const std::string& line) {
    return contains(line, "images normalised as " + twin + " says: " + to_text(wider));
  });
  CHECK(said);
  const std::string mine = o.out + "/last.safetensors";
  CHECK(*normalisation_of(read_safetensors(mine), mine, 3) == wider);
  CHECK(evaluated(mine)["accuracy"].get<double>() == student.result.last);

  // From a teacher with the data set's own constants nothing is said, and nothing changes.
  RunOptions p = small_run("distill", folder / "plain");
  p.teacher = file;
  const TrainedRun plain = run(p);
  for (const std::string& line : plain.lines) CHECK_FALSE(contains(line, "images normalised"));
  CHECK(*normalisation_of(read_safetensors(p.out + "/last.safetensors"), "plain", 3) == own);
}

TEST_CASE("normalisation: training that goes on from a file keeps its constants, and so does a resume") {
  const TemporaryFolder folder;
  RunOptions t = small_run("teach", folder / "first");
  run(t);
  const std::string start =
      with_constants(t.out + "/last.safetensors", folder / "start.safetensors", "0.5,0.5,0.5", "0.25,0.25,0.25");
  const Normalisation half{{0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}};
  const auto going_on = [&](const std::string& name) {
    RunOptions o = small_run("teach", folder / name);
    o.init = start;
    return o;
  };
  run(going_on("whole"));
  CHECK(*normalisation_of(read_safetensors(folder / "whole/last.safetensors"), "whole", 3) == half);
  RunOptions parts = going_on("parts");
  parts.max_steps = 3;
  run(parts);
  parts.max_steps = 0;
  run(parts, true);
  check_same_run(folder / "whole", folder / "parts");
}
