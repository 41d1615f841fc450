// retort info, retort data, reproduce --list, and what --json prints.
#include <set>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("info: one object about this build, one list of networks") {
  const auto info = nlohmann::json::parse(check_done(retort_program({"info", "--json"})).out);
  for (const char* key : {"version", "revision", "compiler", "onednn", "isa", "cuda"}) {
    CAPTURE(std::string(key));
    CHECK(info.at(key).is_string());
  }
  CHECK(info["cores"].get<int>() >= 1);
  CHECK(info["bf16"].is_boolean());
  CHECK(info["data"] == nlohmann::json(dataset_names()));
  const auto nets = nlohmann::json::parse(check_done(retort_program({"info", "--nets", "--json"})).out);
  bool lenet = false;
  for (const auto& net : nets) {
    if (net["name"] != "lenet5") continue;
    lenet = true;
    CHECK(net["parameters"] == 61706);
    CHECK(net["input"] == nlohmann::json({28, 28, 1}));
  }
  CHECK(lenet);
  CHECK(contains(check_done(retort_program({"info"})).out, "retort info --nets"));
  CHECK(contains(check_done(retort_program({"info", "--nets"})).out, "61706"));
}

TEST_CASE("data: what synth writes, check describes and training reads") {
  const TemporaryFolder folder;
  const std::vector<std::string> size = {"--train", "20", "--test", "10", "--classes", "3"};
  const auto synth = [&](const std::string& format) {
    std::vector<std::string> arguments = {"data", "synth", "--out", folder / format, "--format", format};
    arguments.insert(arguments.end(), size.begin(), size.end());
    return retort_program(arguments);
  };
  const Finished cifar = check_done(synth("cifar")), png = check_done(synth("png"));
  CHECK(contains(cifar.out, "wrote 20 training and 10 test images to " + (folder / "cifar")));
  const std::string checksum = load_dataset("synthetic:train=20,test=10,classes=3").checksum;
  CHECK(contains(cifar.out, checksum));
  const Finished checked = check_done(retort_program({"data", "check", "cifar10:" + (folder / "cifar")}));
  CHECK(contains(checked.out, checksum));  // the same pixels and labels came back
  check_done(retort_program({"data", "check", "folder:" + (folder / "png")}));
  check_done(retort_program({"data", "check", "synthetic:train=20,test=10"}));
  check_refused(synth("tiff"), 2, {"--format tiff", "cifar or png"});
  check_refused(retort_program({"data", "check", "synthetic:train=0"}), 2, {"train"});
}

TEST_CASE("json: training prints its result as one object and nothing else") {
  const TemporaryFolder folder;
  const auto teach = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"teach", "--data", "synthetic:train=40,test=10", "--net", "lenet5-half",
                                          "--epochs", "2", "--batch", "20", "--threads", "1", "--out", folder / "run", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return nlohmann::json::parse(check_done(retort_program(arguments)).out);
  };
  nlohmann::json stopped = teach({"--max-steps", "3"});
  CHECK(stopped["finished"] == false);
  nlohmann::json done = nlohmann::json::parse(check_done(retort_program({"teach", "--resume", "--json", "--out", folder / "run"})).out);
  CHECK(done["finished"] == true);
  CHECK(done["metric"] == "accuracy");
  CHECK(done["ledger"]["teacher_forward"] == 80);
  CHECK(done.erase("timing") == 1);
  CHECK(done == result_of(folder / "run"));
}

TEST_CASE("reproduce: the list of recipes, and what it asks for") {
  const Finished list = check_done(retort_program({"reproduce", "--list"}));
  CHECK(contains(list.out, "demo"));
  CHECK(contains(list.out, "mnist"));
  check_refused(retort_program({"reproduce"}), 2, {"--list"});
  check_refused(retort_program({"reproduce", "mnist"}), 2, {"--data-dir"});
}

TEST_CASE("signals: a command that has nothing to save ends at once") {
  Program program({"data", "check", "synthetic:train=200000,test=10"});
  ::usleep(100'000);
  REQUIRE(program.running());
  program.send(SIGINT);
  CHECK(program.wait().signal == SIGINT);
}

TEST_CASE("profile: a step by phase, with its trace") {
  const TemporaryFolder folder;
  const auto profile = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"profile", "--data",    "synthetic:train=40,test=10", "--net",
                                          "lenet5-half", "--batch", "20", "--steps", "2", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return retort_program(arguments);
  };
  const std::string trace = folder / "trace.json";
  const auto object = nlohmann::json::parse(
      check_done(profile({"--teacher-net", "lenet5", "--by", "phase", "--json", "--trace", trace})).out);
  CHECK(object["steps"] == 2);
  CHECK(object["kernel_seconds"].get<double>() <= object["step_seconds"].get<double>());
  std::set<std::string> phases;
  double calls = 0;
  for (const auto& line : object["lines"]) {
    phases.insert(line["name"].get<std::string>());
    calls += line["calls"].get<double>();
  }
  for (const char* phase : {"data", "teacher", "forward", "loss", "backward", "optimizer"}) CHECK(phases.count(phase) == 1);
  const auto events = nlohmann::json::parse(contents(trace))["traceEvents"];
  CHECK(events.size() == 1 + 2 * static_cast<std::size_t>(calls));
  CHECK(contains(check_done(profile({"--regulation", "compact", "--scoring", "training"})).out, "queue_push"));
  check_refused(profile({"--by", "hour"}), 2, {"--by"});
  check_refused(profile({"--trace", folder / "no/such/folder"}), 7, {"no/such/folder"});
}
