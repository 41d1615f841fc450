// Steps that are recorded and replayed compute what they compute one launch after the other, bit for bit.
#include <cstdlib>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

const std::string data = "synthetic:train=60,test=20,classes=3";

std::vector<std::string> arguments(const std::string& command, const std::string& out,
                                   const std::vector<std::string>& more) {
  std::vector<std::string> words = {command,     "--data", data,      "--device", "cuda", "--threads", "2",
                                    "--epochs",  "3",      "--batch", "16",       "--lr", "0.05",      "--schedule",
                                    "one-cycle", "--seed", "3",       "--out",    out};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// The same run recorded and not.
void check_recorded_is_eager(const std::string& command, const TemporaryFolder& folder, const std::string& name,
                             const std::vector<std::string>& more) {
  CAPTURE(name);
  std::vector<std::string> eager = more;
  eager.insert(eager.end(), {"--graph", "off"});
  check_done(retort_program(arguments(command, folder / name + "-recorded", more)));
  check_done(retort_program(arguments(command, folder / name + "-eager", eager)));
  check_same_run(folder / name + "-recorded", folder / name + "-eager");
}

}  // namespace

TEST_CASE("recorded: teaching and distilling are the same as without, and so are their evaluations") {
  const TemporaryFolder folder;
  check_recorded_is_eager(
      "teach", folder, "teach",
      {"--net", "resnet8", "--augment", "crop-flip", "--regulation", "mask", "--confidence", "0.5"});
  const std::string teacher = folder / "teach-recorded";
  for (const std::string method : {"kd", "hybrid"}) {
    check_recorded_is_eager("distill", folder, method,
                            {"--net", "wrn-10-1", "--method", method, "--teacher", teacher, "--augment", "crop"});
  }
  check_recorded_is_eager("distill", folder, "cached",
                          {"--net", "lenet5-half", "--method", "kd", "--teacher", teacher});
}

TEST_CASE("recorded: compact regulation decides on the device when to train, or asks the host to") {
  const TemporaryFolder folder;
  const std::vector<std::string> compact = {"--net",    "lenet5-half", "--regulation", "compact",        "--scoring",
                                            "training", "--mask",      "random",       "--random-share", "0.4"};
  check_recorded_is_eager("teach", folder, "conditional", compact);
  setenv("RETORT_EMULATED_CONDITIONS", "0", 1);
  check_done(retort_program(arguments("teach", folder / "asked", compact)));
  unsetenv("RETORT_EMULATED_CONDITIONS");
  check_same_run(folder / "conditional-recorded", folder / "asked");
  std::vector<std::string> rescore = compact;
  rescore.insert(rescore.end(), {"--rescore", "3"});
  check_recorded_is_eager("teach", folder, "recalled", rescore);
  // Some batches were followed by a training step and some were not.
  const auto last = metrics_of(folder / "asked").back();
  CHECK(last["steps"].get<int>() > 0);
  CHECK(last["steps"].get<int>() < 4);
}

TEST_CASE("recorded: a run that began eagerly goes on recorded") {
  const TemporaryFolder folder;
  const std::vector<std::string> net = {"--net", "lenet5-half", "--regulation", "mask"};
  check_done(retort_program(arguments("teach", folder / "whole", net)));
  std::vector<std::string> begun = net;
  begun.insert(begun.end(), {"--graph", "off", "--max-steps", "6"});
  check_done(retort_program(arguments("teach", folder / "begun", begun)));
  check_done(retort_program({"teach", "--resume", "--graph", "auto", "--out", folder / "begun"}));
  check_same_run(folder / "whole", folder / "begun");
}
