// A command that cannot be meant ends with exit code 2 and one line that says what would have been possible.
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("usage: unknown names are answered with the known ones") {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const auto teach = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"teach", "--out", out});
    return retort_program(more);
  };
  check_refused(teach({"--data", "imagenet:/x"}), 2, {"imagenet", "mnist", "cifar100", "synthetic"});
  check_refused(teach({"--data", "synthetic:train=20,test=10", "--net", "resnet9000"}), 2, {"resnet9000"});
  check_refused(teach({"--data", "synthetic:train=20,test=10", "--net", "alexnet"}), 2, {"alexnet", "lenet5", "wrn-40-2"});
  check_refused(teach({"--data", "synthetic:trian=20"}), 2, {"trian", "train"});
  check_refused(teach({"--schedule", "linear"}), 2, {"linear", "cosine", "one-cycle"});
  check_refused(teach({"--regulation", "maks"}), 2, {"--regulation maks", "off, mask, compact, auto"});
  check_refused(teach({"--mask", "x"}), 2, {"--mask x", "confidence, random"});
  check_refused(teach({"--optimizer", "lion"}), 2, {"--optimizer lion", "sgd, adamw"});
  check_refused(teach({"--precision", "fp8"}), 2, {"--precision fp8", "fp32, tf32, bf16"});
  check_refused(teach({"--plans", "guessed"}), 2, {"--plans guessed", "tuned, heuristic"});
  check_refused(teach({"--fast", "1"}), 2, {"--fast 1", "on, off"});
  check_refused(retort_program({"distill", "--teacher", "t", "--method", "magic", "--out", out}), 2,
                {"--method magic", "hybrid, kd, regulated, significance"});
  check_refused(retort_program({"distill", "--teacher", "t", "--fold-teacher", "maybe", "--out", out}), 2,
                {"--fold-teacher maybe", "auto, on, off"});
  check_refused(retort_program({"reproduce", "everything"}), 2, {"everything", "demo", "mnist"});
}

TEST_CASE("usage: values that make no sense are answered with the range") {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  for (const auto& [option, value, says] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"--epochs", "0", "[1e-06"},     {"--batch", "-3", "[1, 65536]"},  {"--lr", "nan", "[0, 1000]"},
           {"--momentum", "1", "0.9999"},    {"--confidence", "2", "[0, 1.01]"},
           {"--warmup", "1.5", "[0, 1]"},   {"--label-smoothing", "1", "0.999"}, {"--random-share", "-1", "[0, 1]"},
           {"--max-steps", "-1", "--max-steps"}, {"--save-every-steps", "-1", "--save-every-steps"},
           {"--val-split", "-1", "val"},    {"--limit", "-1", "limit"},       {"--subset", "200%", "200%"},
           {"--lr", "-0.5", "--lr -0.5: must not be negative"}, {"--weight-decay", "-1", "must not be negative"}}) {
    CAPTURE(option);
    check_refused(retort_program({"teach", "--data", "synthetic:train=20,test=10", "--net", "lenet5-half", "--out", out,
                                  option, value}),
                  2, {says});
  }
}

TEST_CASE("usage: options that contradict each other") {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  check_refused(retort_program({"teach", "--regulation", "mask", "--rescore", "2", "--out", out}), 2, {"--rescore 2", "compact"});
  check_refused(retort_program({"teach", "--regulation", "compact", "--out", out}), 2, {"--scoring training|evaluation"});
  check_refused(retort_program({"teach", "--regulation", "compact", "--scoring", "both", "--out", out}), 2,
                {"--scoring both", "training, evaluation"});
  check_refused(retort_program({"distill", "--out", out}), 2, {"--teacher"});
  check_refused(retort_program({"distill", "--teacher", "t", "--method", "hybrid", "--regulation", "off", "--out", out}), 2,
                {"--method hybrid needs --regulation"});
  check_refused(retort_program({"distill", "--teacher", "t", "--data", "cifar10:/x", "--cache-teacher", "on", "--out", out}),
                2, {"--augment none"});
}

TEST_CASE("usage: a command line that does not parse") {
  const Finished nothing = retort_program({});
  CHECK(nothing.code == 2);
  CHECK(retort_program({"teech"}).code == 2);
  CHECK(retort_program({"teach"}).code == 2);  // no --out
  check_refused(retort_program({"teach", "--out", "/nowhere/x", "--learning-rate", "1"}), 2, {"--learning-rate"});
  CHECK(retort_program({"teach", "--out", "/nowhere/x", "--epochs", "many"}).code == 2);
  CHECK(retort_program({"teach", "--out", "/nowhere/x", "--seed", "-1"}).code == 2);
  // What only the other command has.
  CHECK(retort_program({"teach", "--out", "/nowhere/x", "--alpha", "0.5"}).code == 2);
  CHECK(retort_program({"distill", "--out", "/nowhere/x", "--label-smoothing", "0.1"}).code == 2);
  const Finished help = check_done(retort_program({"distill", "--help"}));
  CHECK(contains(help.out, "--temperature"));
}

TEST_CASE("usage: a refused command leaves no folder behind") {
  const TemporaryFolder folder;
  check_refused(retort_program({"teach", "--net", "alexnet", "--data", "synthetic:train=20,test=10", "--out", folder / "run"}),
                2, {"alexnet"});
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_CASE("usage: --resume changes nothing that is computed") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "run");
  o.max_steps = 2;
  run(o);
  check_refused(retort_program({"teach", "--resume", "--out", folder / "run", "--lr", "0.5"}), 2, {"--lr", "--resume"});
  put_text(folder / "other.toml", "seed = 7\n");
  check_refused(retort_program({"teach", "--resume", "--out", folder / "run", "--config", folder / "other.toml"}), 2,
                {"--resume"});
  // The command that started the run, with --resume behind it, is what a person types.
  check_done(retort_program({"teach", "--data", o.data, "--batch", "16", "--out", folder / "run", "--resume"}));
}
