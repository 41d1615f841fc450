// Recipes: what a row's paired difference is taken from.
#include "distill/reproduce/recipe.h"
#include "tests/distill/reproduce/recipes.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

std::string compared_with(const std::string& against) {
  return "summary = \"\"\ndata = \"synthetic\"\narms = [\"teacher\", \"kd\", \"cold\"]\n"
         "[[pair]]\nteacher = \"lenet5\"\nstudent = \"lenet5-half\"\n"
         "[arm.cold]\nlike = \"kd\"\nagainst = \"" +
         against + "\"\n";
}

}  // namespace

TEST_CASE("recipe: a comparison with what is no row is an error of the file") {
  const Failure failure = failure_of([] { read_recipe(compared_with("dk"), "my.toml", false); });
  REQUIRE(failure.failed);
  CHECK(failure.kind == ErrorKind::input);
  CHECK(failure.message.rfind("my.toml:3", 0) == 0);
  for (const char* part : {"'against' of 'cold'", "'dk'", "hybrid"}) CHECK(contains(failure.message, part));
}

TEST_CASE("recipe: a comparison with a row that is not run this time is none") {
  CHECK(read_recipe(compared_with("hybrid"), "my.toml", false).arm("cold").against == "hybrid");
  Recipe recipe = read_recipe(compared_with("kd"), "my.toml", false);
  select(recipe, {"cold"}, {});
  CHECK(recipe.arms.size() == 2);  // with its teacher
}
