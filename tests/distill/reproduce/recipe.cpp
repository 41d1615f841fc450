// Recipes as files: the built-in ones, a user's own, and what is wrong with one.
#include "distill/reproduce/recipe.h"

#include "tests/distill/reproduce/recipes.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

void check_wrong(const std::string& recipe, const std::vector<std::string>& parts) {
  const Failure failure = failure_of([&] { read_recipe(recipe, "my.toml", false); });
  CAPTURE(recipe);
  REQUIRE(failure.failed);
  CHECK(failure.kind == ErrorKind::input);
  CHECK(failure.message.rfind("my.toml", 0) == 0);
  for (const std::string& part : parts)
    CHECK_MESSAGE(contains(failure.message, part), failure.message << " does not say " << part);
}

}  // namespace

TEST_CASE("recipe: the built-in ones can be read, long and short, and name what they compare") {
  for (const std::string& name : recipe_names()) {
    for (const bool quick : {false, true}) {
      CAPTURE(name);
      Recipe recipe = find_recipe(name, quick);
      CHECK(recipe.name == name);
      CHECK(!recipe.summary.empty());
      locate_data(recipe, "DIR");
      for (const NetworkPair& pair : recipe.pairs) {
        for (const Arm& arm : recipe.arms) {
          RunOptions options = arm_options(recipe, pair, arm, 1);
          options.teacher = "T";
          CHECK(failure_of([&] { resolve(options); }).message.empty());
        }
      }
    }
  }
  CHECK(find_recipe("cifar100", false).pairs.size() == 6);
  CHECK(find_recipe("cifar10", true).pairs[0].student == "resnet8");
  CHECK(find_recipe("cifar10", false).pairs[0].student == "resnet20");
}

TEST_CASE("recipe: arms are made from ready-made ones and the recipe's own") {
  const Recipe recipe = read_recipe(
      "summary = \"\"\ndata = \"mnist\"\n"
      "arms = [\"teacher\", \"kd\", \"cold\", \"colder\"]\n"
      "[options]\nepochs = 3\n[teacher]\nlr = 0.5\n[student]\nlr = 0.25\n"
      "[[pair]]\nteacher = \"lenet5\"\nstudent = \"lenet5-half\"\npublished = { kd = 99.25 }\n"
      "[arm.cold]\nlike = \"kd\"\ntemperature = 1.0\n"
      "[arm.colder]\nlike = \"cold\"\nlabel = \"kd, very cold\"\nlr = 0.125\nmilestones = [1.0, 2.5]\n",
      "dir/mine.toml", false);
  CHECK(recipe.name == "mine");
  const auto options = [&](const std::string& id) { return arm_options(recipe, recipe.pairs[0], recipe.arm(id), 7); };
  CHECK(options("teacher").net == "lenet5");
  CHECK(options("teacher").command == "teach");
  CHECK(options("teacher").lr == 0.5);
  CHECK(options("kd").lr == 0.25);
  CHECK(options("kd").epochs == 3);
  CHECK(options("kd").seed == 7);
  CHECK(options("cold").temperature == 1);
  CHECK(options("cold").command == "distill");
  CHECK(recipe.arm("cold").label == "cold");
  CHECK(options("colder").temperature == 1);
  CHECK(options("colder").lr == 0.125);
  CHECK(options("colder").milestones == std::vector<double>{1, 2.5});
  CHECK(recipe.arm("colder").label == "kd, very cold");
  CHECK(recipe.arm("colder").taught_by == "teacher");
  CHECK(recipe.pairs[0].published.at("kd") == 99.25);
}

TEST_CASE("recipe: the quick form is laid over the rest") {
  const std::string text = tiny_recipe() +
                           "[quick]\nseeds = 1\narms = [\"student\"]\n[quick.options]\nepochs = 1.0\n"
                           "[[quick.pair]]\nteacher = \"lenet5\"\nstudent = \"lenet5\"\n";
  const Recipe full = read_recipe(text, "t.toml", false), quick = read_recipe(text, "t.toml", true);
  CHECK(full.seeds == 2);
  CHECK(quick.seeds == 1);
  CHECK(quick.has_quick);
  CHECK(full.has_quick);
  CHECK(quick.arms.size() == 1);
  CHECK(quick.pairs.at(0).student == "lenet5");
  CHECK(full.pairs.at(0).student == "lenet5-half");
  CHECK(arm_options(quick, quick.pairs[0], quick.arms[0], 1).epochs == 1);
  CHECK(arm_options(quick, quick.pairs[0], quick.arms[0], 1).batch == 16);
}

TEST_CASE("recipe: what is wrong is said with file and line") {
  check_wrong("= 1", {"my.toml:1"});
  check_wrong("data = \"mnist\"\nsedes = 3\n", {"my.toml:2", "sedes", "seeds"});
  check_wrong("seeds = 0\n", {"my.toml:1", "seeds", "1 to 1000"});
  check_wrong("seeds = 2.5\n", {"my.toml:1", "integer"});
  check_wrong("data = \"imagenet\"\n", {"imagenet", "mnist"});
  check_wrong(tiny_recipe(""), {"[[pair]]"});
  check_wrong(tiny_recipe("[[pair]]\nteacher = \"lenet5\"\n"), {"'teacher' and 'student'"});
  check_wrong(tiny_recipe("[[pair]]\nteacher = \"lenet5\"\nstudent = \"lenet6\"\n"), {"my.toml:11", "lenet6"});
  check_wrong(tiny_recipe() + "[arm.kd]\nlearning-rate = 0.1\n", {"my.toml:15", "learning-rate"});
  check_wrong(tiny_recipe() + "[arm.kd]\nlr = \"fast\"\n", {"my.toml:15", "lr", "number"});
  check_wrong(tiny_recipe() + "[arm.kd]\nmilestones = [1, { epoch = 2 }]\n", {"my.toml:15", "milestones", "a value"});
  check_wrong(tiny_recipe() + "[arm.kd]\nseed = 3\n", {"my.toml:15", "seed"});
  check_wrong(tiny_recipe() + "[arm.\"../../kd\"]\nlr = 0.1\n", {"../../kd", "letters"});
  const std::string pair = "[[pair]]\nteacher = \"lenet5\"\nstudent = \"lenet5-half\"\n";
  check_wrong("data = \"synthetic\"\narms = [\"kd\"]\n" + pair, {"my.toml:2", "'kd' needs 'teacher'"});
  check_wrong("data = \"synthetic\"\narms = [\"student\", \"student\"]\n" + pair, {"twice"});
  check_wrong("data = \"synthetic\"\narms = [\"zen\"]\n" + pair, {"my.toml:2", "zen", "hybrid"});
  check_wrong("data = \"synthetic\"\narms = [\"a\"]\n" + pair + "[arm]\na.like = \"b\"\nb.like = \"a\"\n", {"circle"});
  check_wrong(
      "data = \"synthetic\"\narms = [\"student\", \"short\"]\n" + pair + "[arm]\nshort.seconds-of = \"student\"\n",
      {"like"});
  check_wrong(tiny_recipe() + "[tune]\nrates = [-1.0]\n", {"not positive"});
  const Failure unknown = failure_of([] { find_recipe("no such recipe", false); });
  CHECK(unknown.kind == ErrorKind::usage);
  CHECK(contains(unknown.message, "mnist"));
}

TEST_CASE("recipe: what --methods, --only and --data-dir choose") {
  Recipe recipe = find_recipe("cifar100", false);
  select(recipe, {"hybrid"}, {"vgg13:vgg8", "wrn-40-2:wrn-16-2"});
  REQUIRE(recipe.pairs.size() == 2);
  CHECK(recipe.pairs[0].student == "vgg8");
  CHECK(recipe.arms.size() == 2);
  CHECK(contains(failure_of([&] { select(recipe, {"kd2"}, {}); }).message, "hybrid"));
  CHECK(contains(failure_of([&] { select(recipe, {}, {"vgg13:vgg9"}); }).message, "vgg13:vgg8"));
  CHECK(contains(failure_of([&] { locate_data(recipe, ""); }).message, "--data-dir"));
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "cifar-100-binary");
  Recipe other = recipe;
  locate_data(recipe, folder / "");
  CHECK(recipe.data == "cifar100:" + (folder / "cifar-100-binary"));
  locate_data(other, folder / "cifar-100-binary");
  CHECK(other.data == "cifar100:" + (folder / "cifar-100-binary"));
}
