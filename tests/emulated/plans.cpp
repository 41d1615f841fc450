// Plans for convolutions, from the clock to the run folder. The emulated device's engines
// (tests/simt/emulated_plans.cpp) differ by its own clock, so that it is known which one is the fastest; all compute
// the same.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "distill/plan_file.h"
#include "kernels/convolution.h"
#include "kernels/convolution_plan.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

const std::string favourite = "emulated_k0=1", fastest = "emulated_k0=4", not_deterministic = "emulated_k0=5";

using Environment = std::map<std::string, std::string>;

Finished program(const std::vector<std::string>& arguments, const Environment& environment) {
  return retort_program(arguments, [&] {
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  });
}

const std::string data = "synthetic:train=40,test=20,classes=3";

std::vector<std::string> teach(const std::string& out, const std::vector<std::string>& more = {},
                               const std::string& net = "lenet5-half", const std::string& batch = "16") {
  std::vector<std::string> words = {"teach", "--data", data, "--net", net, "--batch", batch, "--out", out};
  for (const char* word : {"--device", "cuda", "--threads", "1", "--epochs", "2", "--lr", "0.05"}) {
    words.emplace_back(word);
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

PlanFile plans_of(const std::string& path) {
  return plan_file_of(contents(path), path);
}

/// The names of all plans in a file.
std::set<std::string> names_in(const std::string& path) {
  std::set<std::string> names;
  for (const PlanFile::Entry& entry : plans_of(path).entries) names.insert(entry.choice.plan);
  return names;
}

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("emulated plans: timed once, kept for this machine, and written into the run folder") {
  const TemporaryFolder folder;
  const Environment own = {{"RETORT_CACHE_DIR", folder / "cache"}};
  const std::string cache = folder / "cache/plans-emulated-device-none.json";
  const Finished first = check_done(program(teach(folder / "a"), own));
  CHECK(contains(first.out, "timed cuDNN's plans for "));
  CHECK(contains(first.out, cache));
  CHECK(names_in(cache) == Names{fastest});
  CHECK(names_in(folder / "a/plans.json") == Names{fastest});
  for (const PlanFile::Entry& entry : plans_of(folder / "a/plans.json").entries) {
    CHECK(entry.choice.seconds == doctest::Approx(0.3).epsilon(0.1));
    CHECK(entry.choice.favourite_seconds == doctest::Approx(0.5).epsilon(0.1));
  }
  const Finished second = check_done(program(teach(folder / "b"), own));
  CHECK_FALSE(contains(second.out, "timed"));
  CHECK(contents(folder / "a/plans.json") == contents(folder / "b/plans.json"));
  check_same_run(folder / "a", folder / "b");
  // Another batch is another convolution.
  CHECK(
      contains(check_done(program(teach(folder / "c", {"--max-steps", "1"}, "lenet5-half", "12"), own)).out, "timed"));
}

TEST_CASE("emulated plans: --fast on may take what is not deterministic, --plans heuristic times nothing") {
  const TemporaryFolder folder;
  const Environment own = {{"RETORT_CACHE_DIR", folder / "cache"}};
  const std::string cache = folder / "cache/plans-emulated-device-none.json";
  const Finished guessed = check_done(program(teach(folder / "guessed", {"--plans", "heuristic"}), own));
  CHECK_FALSE(contains(guessed.out, "timed"));
  CHECK_FALSE(std::filesystem::exists(cache));
  CHECK(names_in(folder / "guessed/plans.json") == Names{favourite});
  check_done(program(teach(folder / "fast", {"--fast", "on"}), own));
  CHECK(names_in(folder / "fast/plans.json") == Names{not_deterministic});
  check_done(program(teach(folder / "steady"), own));
  CHECK(names_in(folder / "steady/plans.json") == Names{fastest});
  CHECK(names_in(cache) == Names{fastest, not_deterministic});
  check_same_run(folder / "guessed", folder / "fast");  // here, they compute the same
  check_same_run(folder / "guessed", folder / "steady");
  CHECK(contains(contents(folder / "fast/config.toml"), "fast = \"on\""));
}

TEST_CASE("emulated plans: a run that is resumed keeps to its plans, or is refused") {
  const TemporaryFolder folder;
  Environment own = {{"RETORT_CACHE_DIR", folder / "cache"}};
  check_done(program(teach(folder / "whole"), own));
  const std::string run = folder / "run", plans = run + "/plans.json";
  check_done(program(teach(run, {"--max-steps", "2"}), own));
  std::filesystem::remove_all(folder / "cache");
  const std::vector<std::string> resume = {"teach", "--resume", "--max-steps", "3", "--out", run};
  const std::string before = contents(plans);

  Environment other = own;
  other["RETORT_EMULATED_NAME"] = "another device";
  check_refused(program(resume, other), 5, {plans, "emulated device", "here is another device"});
  other = own;
  other["RETORT_EMULATED_ENGINES"] = "1";
  check_refused(program(resume, other), 5, {"there is no plan '" + fastest + "'", "convolution of (16, "});
  put_text(plans, before.substr(0, before.size() / 2));
  check_refused(program(resume, own), 3, {plans, "damaged"});
  put_text(plans, before);

  CHECK_FALSE(contains(check_done(program(resume, own)).out, "timed"));
  CHECK(contents(plans) == before);
  check_done(program({"teach", "--resume", "--out", run}, own));
  CHECK(contents(plans) == before);
  check_same_run(folder / "whole", run);
  CHECK_FALSE(std::filesystem::exists(folder / "cache"));
}

TEST_CASE("emulated plans: a run that began without the file goes on by the heuristics") {
  const TemporaryFolder folder;
  const Environment own = {{"RETORT_CACHE_DIR", folder / "cache"}};
  check_done(program(teach(folder / "run", {"--max-steps", "2"}), own));
  std::filesystem::remove(folder / "run/plans.json");
  check_done(program({"teach", "--resume", "--out", folder / "run"}, own));
  CHECK(names_in(folder / "run/plans.json") == Names{favourite});
}

TEST_CASE("emulated plans: a cache that does not serve is replaced, one that cannot be written is done without") {
  const TemporaryFolder folder;
  Environment own = {{"RETORT_CACHE_DIR", folder / "cache"}};
  const std::string cache = folder / "cache/plans-emulated-device-none.json";
  const std::vector<std::string> one_step = {"--max-steps", "1"};
  put_text(cache, "{\"format\":1,");
  const Finished damaged = check_done(program(teach(folder / "a", one_step), own));
  CHECK(contains(damaged.out, cache + ": not a file of plans, or damaged; ignored"));
  CHECK(names_in(cache) == Names{fastest});
  own["RETORT_EMULATED_ENGINES"] = "1";
  CHECK(contains(check_done(program(teach(folder / "b", one_step), own)).out, "cannot be had here; decided anew"));
  CHECK(names_in(cache) == Names{favourite});
  put_text(folder / "file", "");
  own["RETORT_CACHE_DIR"] = folder / "file/cache";
  CHECK(contains(check_done(program(teach(folder / "c", one_step), own)).out, "decided anew by the next run"));
}

TEST_CASE("emulated plans: only what runs is planned") {
  const TemporaryFolder folder;
  const Environment own = {{"RETORT_CACHE_DIR", folder / "cache"}};
  check_done(program(teach(folder / "teacher", {"--max-steps", "1"}, "resnet8"), own));
  check_done(program({"distill",     "--teacher", folder / "teacher",
                      "--data",      data,        "--net",
                      "lenet5-half", "--device",  "cuda",
                      "--epochs",    "1",         "--batch",
                      "16",          "--threads", "1",
                      "--augment",   "crop",      "--fold-teacher",
                      "off",         "--out",     folder / "student"},
                     own));
  const auto count = [](const std::string& path, const auto& which) {
    int found = 0;
    for (const PlanFile::Entry& entry : plans_of(path).entries) found += which(entry.choice.problem) ? 1 : 0;
    return found;
  };
  const auto teachers = [](const ConvolutionProblem& p) { return p.shape.in_channels == 64; };
  const auto backward = [](const ConvolutionProblem& p) { return p.pass != ConvolutionPass::forward; };
  const auto of_images = [](const ConvolutionProblem& p) {
    return p.shape.height == 32 && p.shape.in_channels == 3 && p.pass == ConvolutionPass::backward_data;
  };
  const auto single = [](const ConvolutionProblem& p) { return p.shape.batch == 1; };
  const std::string student = folder / "student/plans.json", teacher = folder / "teacher/plans.json";
  CHECK(count(teacher, [&](const auto& p) { return teachers(p) && backward(p); }) > 0);
  CHECK(count(student, teachers) > 0);
  CHECK(count(student, [&](const auto& p) { return teachers(p) && backward(p); }) == 0);
  CHECK(count(student, of_images) == 0);
  CHECK(count(student, single) == 0);
}

TEST_CASE("emulated plans: retort info lists them, and times them ahead of a run") {
  const TemporaryFolder folder;
  const Environment own = {{"RETORT_CACHE_DIR", folder / "cache"}};
  std::vector<std::string> info = {"info", "--plans",     "--net", "lenet5-half", "--batch",
                                   "16",   "--precision", "fp32",  "--json"};
  const auto list = [](const Finished& finished) { return nlohmann::json::parse(finished.out); };
  for (const auto& line : list(check_done(program(info, own)))) {
    CHECK(line["plan"] == favourite);
    CHECK(line["seconds"] == 0);
  }
  info.emplace_back("--tune");
  const Finished tuned = program(info, own);
  CHECK(tuned.code == 0);
  CHECK(contains(tuned.err, "timed cuDNN's plans for 6 convolutions"));
  for (const auto& line : list(tuned)) CHECK(line["plan"] == fastest);
  info.pop_back();
  for (const auto& line : list(check_done(program(info, own)))) {
    CHECK(line["plan"] == fastest);
    CHECK(line["seconds"].get<double>() == doctest::Approx(0.3).epsilon(0.1));
  }
  info.pop_back();
  CHECK(contains(check_done(program(info, own)).out, "heuristics' 5"));
}

TEST_CASE("emulated plans: without memory to time them, the favourite serves") {
  const Conv2dShape large{1 << 14, 64, 64, 64, 64, 3, 3, 1, 1};
  cuda::begin_plans({}, {}, false);
  cuda::tune_plans(true);
  CHECK(cuda::conv2d_workspace(large, ConvolutionPass::forward, Precision::fp32) == 512);
  cuda::conv2d_workspace({2, 8, 8, 4, 4, 3, 3, 1, 1, DType::bf16}, ConvolutionPass::backward_filter, Precision::fp32);
  cuda::tune_plans(false);
  const PlansInUse plans = cuda::plans_in_use();
  CHECK(plans.tuned == 1);
  REQUIRE(plans.choices.size() == 2);
  CHECK(plans.choices[0].plan == fastest);
  CHECK(plans.choices[0].problem.precision == Precision::bf16);
  CHECK(plans.choices[1].plan == favourite);
  CHECK(plans.choices[1].seconds == 0);
  cuda::begin_plans({}, {}, false);
}
