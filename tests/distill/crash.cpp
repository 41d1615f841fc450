// Kill -9 at random moments, fifty times: the run goes on each time, and ends as if nothing had happened.
#include <chrono>
#include <random>

#include "tests/distill/reproduce/recipes.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

using Clock = std::chrono::steady_clock;

/// Runs the program and kills it after that time, unless it ends before. Whether it ended well by itself.
bool run_until_killed(const std::vector<std::string>& words, std::chrono::microseconds patience) {
  Program program(words);
  const auto end = Clock::now() + patience;
  while (program.running() && Clock::now() < end) ::usleep(200);
  program.send(SIGKILL);
  const Finished finished = program.wait();
  INFO("error stream: " << finished.err);
  const bool killed = finished.signal == SIGKILL, done = finished.code == 0;
  const bool either = killed || done;
  REQUIRE(either);
  return done;
}

double seconds_of(const std::vector<std::string>& words) {
  const auto begin = Clock::now();
  check_done(retort_program(words));
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

TEST_CASE("crash: fifty kills, and the files are those of an undisturbed run") {
  const TemporaryFolder folder;
  const auto words = [&](const std::string& out) {
    return std::vector<std::string>{"teach",
                                    "--data",
                                    "synthetic:train=200,test=40,classes=4",
                                    "--net",
                                    "lenet5-half",
                                    "--epochs",
                                    "6",
                                    "--batch",
                                    "8",
                                    "--regulation",
                                    "mask",
                                    "--threads",
                                    "1",
                                    "--save-every-steps",
                                    "3",
                                    "--resume",
                                    "--out",
                                    folder / out};
  };
  const double whole = seconds_of(words("whole"));
  std::mt19937 random(20260);
  // Long enough to get somewhere at times, short enough to be killed fifty times.
  std::uniform_real_distribution<double> patience(0, 0.5 * whole);
  int kills = 0, runs = 0;
  while (kills < 50) {
    const std::string out = text("killed-", runs);
    while (kills < 50 &&
           !run_until_killed(words(out), std::chrono::microseconds(static_cast<long>(1e6 * patience(random)))))
      ++kills;
    ++runs;
    check_done(retort_program(words(out)));
    check_same_run(folder / "whole", folder / out);
  }
  MESSAGE("50 kills in " << runs << " runs of " << whole << " s");
}

TEST_CASE("crash: a reproduction that is killed goes on, and no run is lost or counted twice") {
  const TemporaryFolder folder;
  put_text(folder / "tiny.toml", tiny_recipe());
  const auto words = [&](const std::string& out) {
    return std::vector<std::string>{"reproduce", folder / "tiny.toml", "--out",    folder / out, "--threads",
                                    "1",         "--methods",          "regulated"};
  };
  const double whole = seconds_of(words("whole"));
  std::mt19937 random(20261);
  std::uniform_real_distribution<double> patience(0.1 * whole, 0.6 * whole);
  for (int i = 0; i < 8; ++i) {
    if (run_until_killed(words("killed"), std::chrono::microseconds(static_cast<long>(1e6 * patience(random))))) break;
  }
  check_done(retort_program(words("killed")));
  for (const char* run : {"lenet5/seed-1/teacher-regulated", "lenet5--lenet5-half/seed-1/regulated",
                          "lenet5--lenet5-half/seed-2/regulated"}) {
    for (const char* name : {"last.safetensors", "significance.csv"}) {
      const std::string file = text("/", run, "/", name);
      const std::string a = contents(folder / "whole" + file), b = contents(folder / "killed" + file);
      const bool same = !a.empty() && a == b;
      CHECK_MESSAGE(same, file << " differs");
    }
  }
}

TEST_CASE("crash: a second process on a run's folder is told who is there") {
  const TemporaryFolder folder;
  const std::vector<std::string> words = {"teach", "--data",      "synthetic:train=2000,test=40,classes=4",
                                          "--net", "lenet5-half", "--epochs",
                                          "50",    "--threads",   "1",
                                          "--out", folder / "run"};
  Program first(words);
  while (first.running() && contents(folder / "run/lock").empty()) ::usleep(1000);
  const std::string owner = contents(folder / "run/lock");
  check_refused(retort_program(words), 7, {folder / "run", "in use by " + owner});
  first.send(SIGTERM);
  CHECK(first.wait().code == 0);
  CHECK(!std::filesystem::exists(folder / "run/lock"));
}
