// A run that was stopped and continued is the run that was not: bit for bit, in a new process, wherever it stopped.
#include <unistd.h>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

/// Two epochs of ten batches, the last one of an epoch smaller; everything random is in use.
std::vector<std::string> teach(const std::string& regulation, const std::string& out) {
  std::vector<std::string> arguments = {
      "teach",        "--data", "synthetic:train=150,test=30,classes=3", "--net",       "resnet8",
      "--threads",    "2",      "--epochs",  "2",          "--batch",        "16",  "--lr",     "0.1",
      "--augment",    "crop-flip", "--regulation", regulation, "--confidence", "0.6", "--confidence-end", "0.4",
      "--out",        out};
  if (regulation == "compact") arguments.insert(arguments.end(), {"--scoring", "training"});
  return arguments;
}

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

ino_t file_number(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// Starts the program and kills it as soon as it has written another checkpoint.
void run_and_kill(const std::vector<std::string>& arguments, const std::string& folder) {
  const std::string last = folder + "/last.safetensors";
  const ino_t before = file_number(last);
  Program program(arguments);
  while (program.running() && file_number(last) == before) ::usleep(200);
  program.send(SIGKILL);
  const Finished finished = program.wait();
  INFO(finished.out << finished.err);
  REQUIRE(finished.signal == SIGKILL);
}

}  // namespace

TEST_CASE("resume: stopped in the middle of an epoch, killed, continued in new processes") {
  for (const std::string regulation : {"mask", "compact"}) {
    CAPTURE(regulation);
    const TemporaryFolder folder;
    const std::string whole = folder / "whole", stopped = folder / "stopped", killed = folder / "killed";
    check_done(retort_program(teach(regulation, whole)));
    const auto metrics = metrics_of(whole);
    REQUIRE(metrics.size() == 2);
    CHECK(metrics[1]["participants"] < metrics[1]["rows"]);  // otherwise regulation plays no part here
    CHECK(metrics[1]["participants"] > 0);

    const Finished first = check_done(retort_program(with(teach(regulation, stopped), {"--max-steps", "13"})));
    CHECK(contains(first.out, "stopped after batch 13; continue with --resume --out " + stopped));
    CHECK(result_of(stopped).is_null());
    if (regulation == "compact") CHECK(!integers_of(stopped, "retort/queue").empty());
    const Finished second = check_done(retort_program({"teach", "--resume", "--out", stopped}));
    CHECK(contains(second.out, "resumed from " + stopped + "/last.safetensors after 13 batches (epoch 2)"));
    check_same_run(whole, stopped);

    run_and_kill(with(teach(regulation, killed), {"--save-every-steps", "4"}), killed);
    for (int kills = 0; kills < 3; ++kills) run_and_kill({"teach", "--resume", "--out", killed}, killed);
    check_done(retort_program({"teach", "--resume", "--out", killed}));
    check_same_run(whole, killed);
  }
}

TEST_CASE("resume: a student with a teacher, on its significant samples, with and without cached logits") {
  const TemporaryFolder folder;
  const std::string teacher = folder / "teacher";
  RunOptions o = small_run("teach", teacher);
  o.data = "synthetic:train=120,test=20,classes=3";
  o.regulation = "mask";
  o.confidence = 0.5;
  o.epochs = 4;
  run(o);
  for (const std::string cache : {"on", "off"}) {
    CAPTURE(cache);
    const std::string whole = folder / ("whole-" + cache), killed = folder / ("killed-" + cache);
    const auto distill = [&](const std::string& out) {
      return std::vector<std::string>{
          "distill", "--method",  "hybrid", "--teacher", teacher, "--data",          o.data, "--net",
          "resnet8", "--threads", "2",      "--epochs",  "2",     "--batch",         "16",   "--confidence",
          "0.5",     "--augment", "none",   "--out",     out,     "--cache-teacher", cache};
    };
    check_done(retort_program(distill(whole)));
    run_and_kill(with(distill(killed), {"--save-every-steps", "3"}), killed);
    check_done(retort_program({"distill", "--resume", "--out", killed, "--max-steps", "9"}));
    check_done(retort_program({"distill", "--resume", "--out", killed}));
    check_same_run(whole, killed);
  }
}

TEST_CASE("resume: the first signal stops the run where --resume finds it") {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole";
  check_done(retort_program(teach("mask", whole)));
  for (const int signal : {SIGTERM, SIGINT}) {
    CAPTURE(signal);
    const std::string stopped = folder / ("stopped-" + std::to_string(signal));
    Program program(with(teach("mask", stopped), {"--save-every-steps", "1"}));
    while (program.running() && file_number(stopped + "/last.safetensors") == 0) ::usleep(200);
    program.send(signal);
    const Finished finished = check_done(program.wait());
    CHECK(contains(finished.out, "continue with --resume --out " + stopped));
    CHECK(result_of(stopped).is_null());
    check_done(retort_program({"teach", "--resume", "--out", stopped}));
    check_same_run(whole, stopped);
  }
}

TEST_CASE("resume: of a finished run computes nothing and changes nothing") {
  const TemporaryFolder folder;
  const RunOptions o = small_run("teach", folder / "run");
  run(o);
  const std::string last = contents(folder / "run/last.safetensors");
  const auto result = result_of(folder / "run");
  const TrainedRun again = run(o, true);
  CHECK(again.result.finished);
  CHECK(contents(folder / "run/last.safetensors") == last);
  CHECK(result_of(folder / "run") == result);
  CHECK(metrics_of(folder / "run").size() == 2);
}

TEST_CASE("resume: not asked for, a run in the folder is left alone") {
  const TemporaryFolder folder;
  const RunOptions o = small_run("teach", folder / "run");
  run(o);
  const std::string last = contents(folder / "run/last.safetensors");
  const Failure failure = failure_of([&] { run(o); });
  CHECK(failure.kind == ErrorKind::usage);
  CHECK(failure.says(folder / "run already holds a run; give --resume"));
  CHECK(contents(folder / "run/last.safetensors") == last);
}
