#include "distill/reproduce/recipe.h"

#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content(reinterpret_cast<const char*>(data), size);
  return fuzz::run([&] {
    for (const bool quick : {false, true}) {
      const Recipe recipe = parse_recipe(content, fuzz::file_name, quick);
      fuzz::require(!recipe.arms.empty() && !recipe.pairs.empty() && recipe.seeds > 0, "a recipe of nothing");
      for (const Arm& arm : recipe.arms) {
        fuzz::require(arm.id.find('/') == std::string::npos && arm.id[0] != '.',
                      "an id that leaves its folder: " + arm.id);
      }
    }
  });
}
