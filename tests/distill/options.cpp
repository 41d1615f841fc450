#include "distill/options.h"

#include <doctest/doctest.h>

#include <set>
#include <type_traits>

#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

/// Every option at a value that is not its default.
RunOptions unusual() {
  RunOptions o;
  int number = 3;
  visit_options(o, [&](const char*, auto& field, const char*) {
    using Field = std::decay_t<decltype(field)>;
    ++number;
    if constexpr (std::is_same_v<Field, std::string>) {
      field = "value \"" + std::to_string(number) + "\" \\ é\n";
    } else if constexpr (std::is_same_v<Field, std::vector<double>>) {
      field = {1.0, 0.1 * number, 1e-300};
    } else if constexpr (std::is_floating_point_v<Field>) {
      field = number / 3.0;
    } else {
      field = static_cast<Field>(number);
    }
  });
  o.command = "distill";
  return o;
}

}  // namespace

TEST_CASE("options: to TOML and back is the same, for every option") {
  for (RunOptions o : {RunOptions{}, unusual()}) {
    const RunOptions back = from_toml(to_toml(o), "config.toml");
    CHECK(back.command == o.command);
    std::vector<std::string> names;
    RunOptions copy = back;
    visit_options(o, [&](const char* name, auto& field, const char* help) {
      names.emplace_back(name);
      CHECK_MESSAGE(std::string(help).size() > 5, "--" << name << " has no line in --help");
      visit_options(copy, [&](const char* other, auto& value, const char*) {
        if constexpr (std::is_same_v<decltype(value), decltype(field)>) {
          if (std::string(other) == name) CHECK_MESSAGE(value == field, "--" << name);
        }
      });
    });
    CHECK(names.size() == std::set<std::string>(names.begin(), names.end()).size());
    CHECK(same_run(o, back));
  }
  CHECK_FALSE(same_run(RunOptions{}, unusual()));
}

TEST_CASE("options: any text comes back from TOML") {
  RunOptions o;
  for (const char* name : {"", "a b", "'", "\"", "'\"\\", "\\u0041", "\n", "\nb", "a\r\n\tb\n", "\x01\x1f\x7f", "\u00e9", "\u0085\u2028",
                           "\U0001f600"}) {
    o.data = name;
    CHECK_MESSAGE(from_toml(to_toml(o), "config.toml").data == name, to_toml(o));
  }
}

TEST_CASE("options: numbers are written as a person would") {
  RunOptions o;
  o.lr = 0.05;
  o.epochs = 3;
  o.weight_decay = 1e-6;
  o.milestones = {1, 2.5};
  const std::string toml = to_toml(o);
  for (const char* line : {"\nlr = 0.05\n", "\nepochs = 3.0\n", "\nweight-decay = 1e-06\n", "\nmilestones = [1.0, 2.5]\n"}) {
    CHECK_MESSAGE(contains(toml, line), line);
  }
}

TEST_CASE("options: a part of a file leaves the rest at its default") {
  const RunOptions o = from_toml("# mine\nlr = 1\nmilestones = [1, 2.5]\nseed = 4294967295\n", "x");
  CHECK(o.lr == 1);
  CHECK(o.milestones == std::vector<double>{1, 2.5});
  CHECK(o.seed == 4294967295U);
  CHECK(o.temperature == RunOptions{}.temperature);
}

TEST_CASE("options: files with mistakes are blamed by name, and by line where there is one") {
  for (const auto& [text, blame] : std::vector<std::pair<std::string, std::string>>{
           {"lr = 1\nlearning-rate = 2\n", "my.toml:2: unknown option 'learning-rate'"},
           {"lr = 1\nlr = 2\n", "my.toml:2"},
           {"lr = \n", "my.toml:1"},
           {"lr = 'fast'", "my.toml: 'lr' must be a number"},
           {"net = 8", "my.toml: 'net' must be a string"},
           {"batch = 1.5", "my.toml: 'batch' must be an integer in range"},
           {"batch = 99999999999", "my.toml: 'batch' must be an integer in range"},
           {"seed = -1", "my.toml: 'seed' must be an integer in range"},
           {"milestones = 3", "my.toml: 'milestones' must be a list of numbers"},
           {"milestones = [3, 'x']", "my.toml: 'milestones' must be a list of numbers"}}) {
    CAPTURE(text);
    const Failure failure = failure_of([&] { from_toml(text, "my.toml"); });
    CAPTURE(failure.message);
    CHECK(failure.blames(blame));
  }
}

TEST_CASE("options: the recipe fills what was left open, and nothing else") {
  RunOptions o;
  o.data = "cifar100:/x";
  o.epochs = 24;
  resolve(o);
  CHECK(o.net == "wrn-40-2");
  CHECK(o.batch == 64);
  CHECK(o.milestones.size() == 3);
  CHECK(o.milestones[0] == doctest::Approx(15));
  CHECK(o.regulation == "off");
  CHECK((o.device == "cpu" || o.device == "cuda"));
  RunOptions student;
  student.command = "distill";
  student.data = "cifar100:/x";
  student.teacher = "t";
  student.method = "hybrid";
  student.lr = 0;
  resolve(student);
  CHECK(student.net == "wrn-16-2");
  CHECK(student.lr == 0);
  CHECK(student.regulation == "mask");
  CHECK(student.fold_teacher == "on");
  CHECK(o.fold_teacher == "auto");  // nobody's
  const RunOptions once = student;
  resolve(student);
  CHECK(same_run(once, student));  // config.toml holds resolved options and is resolved again
}

TEST_CASE("options: a run repeated from its config.toml is the same run") {
  const TemporaryFolder folder;
  check_done(retort_program({"teach", "--data", "synthetic:train=40,test=10,classes=3", "--net", "lenet5-half", "--epochs",
                             "2", "--batch", "16", "--threads", "1", "--schedule", "multi-step", "--milestones",
                             "0.5,1.5", "--regulation", "mask", "--confidence", "0.5", "--out", folder / "a"}));
  check_done(retort_program({"teach", "--config", folder / "a/config.toml", "--out", folder / "b"}));
  CHECK(contents(folder / "a/config.toml") == contents(folder / "b/config.toml"));
  CHECK(from_toml(contents(folder / "b/config.toml"), "b").milestones == std::vector<double>{0.5, 1.5});
  check_same_run(folder / "a", folder / "b");
  // The command line wins over the file.
  check_done(retort_program({"teach", "--config", folder / "a/config.toml", "--epochs", "1", "--milestones", "0.25",
                             "--out", folder / "c"}));
  RunOptions c = from_toml(contents(folder / "c/config.toml"), "c");
  CHECK(c.epochs == 1);
  CHECK(c.milestones == std::vector<double>{0.25});
  CHECK(c.confidence == 0.5);
  check_refused(retort_program({"distill", "--config", folder / "a/config.toml", "--out", folder / "d"}), 2,
                {"a configuration for 'retort teach'"});
}
