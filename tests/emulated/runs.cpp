// `--device cuda`, on a GPU that is emulated: what a person does with it, from the teacher to the prediction.
#include "tests/distill/runs.h"

#include <sys/wait.h>
#include <unistd.h>

#include "engine/device_memory.h"

using namespace retort;
using namespace retort::test;

namespace {

std::vector<std::string> command(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), {"--threads", "2", "--epochs", "2", "--batch", "16", "--lr", "0.05", "--seed", "3"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

const std::string data = "synthetic:train=60,test=20,classes=3";

std::vector<std::string> teach(const std::string& device, const std::string& out,
                               const std::vector<std::string>& more = {}) {
  std::vector<std::string> words =
      command({"teach", "--data", data, "--net", "resnet8", "--augment", "crop-flip", "--regulation", "mask",
               "--confidence", "0.5", "--device", device, "--out", out},
              more);
  return words;
}

std::vector<std::string> distil(const std::string& method, const std::string& teacher, const std::string& out,
                                const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = command({"distill", "--method", method, "--teacher", teacher, "--data", data,
                                            "--net", "wrn-10-1", "--device", "cuda", "--out", out},
                                           more);
  return words;
}

double number(const nlohmann::json& line, const char* name) {
  return line.at(name).get<double>();
}

}  // namespace

TEST_CASE("emulated: the host cannot read device memory but by copying it") {
  const DeviceBlock block(Device::cuda, 64);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);  // not doctest's
    _exit(*static_cast<volatile const int*>(block.data()) == 0 ? 1 : 2);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
}

TEST_CASE("emulated: a teacher learns what it learns on the CPU, and two runs are one") {
  const TemporaryFolder folder;
  check_done(retort_program(teach("cuda", folder / "a")));
  check_done(retort_program(teach("cuda", folder / "b")));
  check_same_run(folder / "a", folder / "b");
  check_done(retort_program(teach("cpu", folder / "cpu")));
  const auto cuda = metrics_of(folder / "a"), cpu = metrics_of(folder / "cpu");
  REQUIRE(cuda.size() == cpu.size());
  for (std::size_t i = 0; i < cuda.size(); ++i) {
    CHECK(number(cuda[i], "train_loss") == doctest::Approx(number(cpu[i], "train_loss")).epsilon(1e-3));
    CHECK(number(cuda[i], "participants") == doctest::Approx(number(cpu[i], "participants")).epsilon(0.05));
  }
}

TEST_CASE("emulated: stopped in mid-epoch and continued is the run that was not stopped") {
  for (const std::string regulation : {"mask", "compact"}) {
    CAPTURE(regulation);
    const TemporaryFolder folder;
    std::vector<std::string> more = {"--regulation", regulation};
    if (regulation == "compact") more.insert(more.end(), {"--scoring", "training"});
    const auto run = [&](const std::string& out, std::vector<std::string> words) {
      std::vector<std::string> all = command(
          {"teach", "--data", data, "--net", "resnet8", "--confidence", "0.6", "--device", "cuda", "--out", out}, more);
      all.insert(all.end(), words.begin(), words.end());
      check_done(retort_program(all));
    };
    run(folder / "whole", {});
    run(folder / "stopped", {"--max-steps", "3"});
    check_done(retort_program({"teach", "--resume", "--out", folder / "stopped"}));
    check_same_run(folder / "whole", folder / "stopped");
  }
}

TEST_CASE("emulated: every method of distillation, evaluation and prediction") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  check_done(retort_program(teach("cuda", teacher)));
  for (const std::string method : {"kd", "significance", "regulated", "hybrid", "xcl"}) {
    CAPTURE(method);
    check_done(retort_program(distil(method, teacher, folder / method)));
    CHECK(metrics_of(folder / method).size() == 2);
  }
  check_done(retort_program(distil("regulated", teacher, folder / "compact",
                                   {"--regulation", "compact", "--scoring", "evaluation", "--confidence", "0.5"})));
  const auto at = [&](const std::string& device) {
    return check_done(
        retort_program({"evaluate", "--checkpoint", folder / "kd", "--data", data, "--device", device, "--json"}));
  };
  CHECK(nlohmann::json::parse(at("cuda").out)["accuracy"] == nlohmann::json::parse(at("cpu").out)["accuracy"]);
  for (const std::string device : {"cpu", "cuda"}) {
    check_done(retort_program({"predict", "--checkpoint", folder / "kd", "--data", data, "--device", device, "--out",
                               folder / device + ".safetensors"}));
  }
  const auto cpu = read_safetensors(folder / "cpu.safetensors").at("logits").to_floats();
  const auto cuda = read_safetensors(folder / "cuda.safetensors").at("logits").to_floats();
  REQUIRE(cpu.size() == cuda.size());
  for (std::size_t i = 0; i < cpu.size(); ++i) CHECK(std::abs(cpu[i] - cuda[i]) <= 1e-4F);
}

TEST_CASE("emulated: TST, from encoders to a student") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  check_done(retort_program(teach("cuda", teacher)));
  const std::vector<std::string> pretrain = {"tst-pretrain", "--data", data, "--out", teacher + "/encoders.safetensors",
                                             "--geometric-epochs", "1", "--colour-epochs", "1", "--images", "2",
                                             "--batch", "8", "--device", "cuda"};
  check_done(retort_program(pretrain));
  for (const std::string precision : {"fp32", "bf16"}) {
    CAPTURE(precision);
    const std::vector<std::string> more = {"--tst-phases", "1", "--tst-length", "1", "--precision", precision};
    check_done(retort_program(distil("tst", teacher, folder / precision, more)));
    check_done(retort_program(distil("tst", teacher, folder / precision + "-again", more)));
    check_same_run(folder / precision, folder / precision + "-again");
    CHECK(metrics_of(folder / precision).size() == 2);
    CHECK(contains(contents(folder / precision + "/phases.jsonl"), "\"phase\":1"));
  }
}

TEST_CASE("emulated: bf16 and tf32 run, and a run keeps to its device") {
  const TemporaryFolder folder;
  for (const std::string precision : {"bf16", "tf32"}) {
    check_done(retort_program(teach("cuda", folder / precision, {"--precision", precision})));
  }
  check_done(retort_program(teach("cuda", folder / "run", {"--max-steps", "2"})));
  const Finished elsewhere = retort_program({"teach", "--resume", "--out", folder / "run", "--device", "cpu"});
  CHECK(elsewhere.code > 0);
  INFO(elsewhere.err);
  CHECK(!elsewhere.err.empty());
}

TEST_CASE("emulated: --device auto takes the GPU") {
  const TemporaryFolder folder;
  check_done(retort_program(teach("auto", folder / "a", {"--max-steps", "1"})));
  CHECK(nlohmann::json::parse(contents(folder / "a/environment.json"))["device"] == "cuda");
  CHECK(contains(contents(folder / "a/config.toml"), "device = \"cuda\""));
}
