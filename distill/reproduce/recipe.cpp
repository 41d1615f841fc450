#include "distill/reproduce/recipe.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "data/file.h"
#include "distill/embedded_file.h"
#include "kernels/error.h"
#include "nets/names.h"
#include "nets/network.h"

namespace retort {

const Arm& Recipe::arm(const std::string& id) const {
  std::string known;
  for (const Arm& arm : arms) {
    if (arm.id == id) return arm;
    known += (known.empty() ? "" : ", ") + arm.id;
  }
  fail(ErrorKind::usage, text("recipe ", name, " has no method '", id, "' (it has: ", known, ")"));
}

void select(Recipe& recipe, const std::vector<std::string>& arms, const std::vector<std::string>& pairs) {
  if (!arms.empty()) {
    std::set<std::string> kept;
    const auto keep = [&](const auto& self, const std::string& id) -> void {
      for (const std::string& other : recipe.arm(id).needs()) self(self, other);
      kept.insert(id);
    };
    for (const std::string& id : arms) keep(keep, id);
    std::erase_if(recipe.arms, [&](const Arm& arm) { return kept.count(arm.id) == 0; });
  }
  if (pairs.empty()) return;
  std::string known;
  for (const NetworkPair& pair : recipe.pairs) known += (known.empty() ? "" : ", ") + pair.teacher + ":" + pair.student;
  std::vector<NetworkPair> chosen;
  for (const std::string& name : pairs) {
    const auto found = std::find_if(recipe.pairs.begin(), recipe.pairs.end(),
                                    [&](const NetworkPair& pair) { return pair.teacher + ":" + pair.student == name; });
    RETORT_CHECK(found != recipe.pairs.end(), "--only ", name, ": recipe ", recipe.name, " has ", known);
    chosen.push_back(*found);
  }
  recipe.pairs = chosen;
}

void locate_data(Recipe& recipe, const std::string& data_dir) {
  namespace fs = std::filesystem;
  if (recipe.data.find(':') != std::string::npos || recipe.data == "synthetic" || recipe.data == "gaze-synthetic") return;
  RETORT_CHECK(!data_dir.empty(), "recipe ", recipe.name, " needs --data-dir DIR with the files of ", recipe.data);
  // As the publishers' archives unpack.
  static const std::map<std::string, std::string> inner = {{"mnist", "mnist"},
                                                           {"fashion-mnist", "fashion-mnist"},
                                                           {"cifar10", "cifar-10-batches-bin"},
                                                           {"cifar100", "cifar-100-binary"}};
  const auto name = inner.find(recipe.data);
  const fs::path dir(data_dir), folder = name == inner.end() ? dir : dir / name->second;
  recipe.data += ":" + (fs::is_directory(folder) ? folder : dir).string();
}

RunOptions arm_options(const Recipe& recipe, const NetworkPair& pair, const Arm& arm, std::uint32_t seed) {
  RunOptions o;
  o.command = arm.taught_by.empty() ? "teach" : "distill";
  o.data = recipe.data;
  o.net = arm.trains_teacher ? pair.teacher : pair.student;
  o.seed = seed;
  set_options(o, recipe.options, "recipe " + recipe.name);
  set_options(o, arm.trains_teacher ? recipe.teacher_options : recipe.student_options, "recipe " + recipe.name);
  set_options(o, arm.options, "recipe " + recipe.name + ", " + arm.id);
  return o;
}

Recipe read_recipe(const std::string& content, const std::string& file, bool quick) {
  const Recipe recipe = parse_recipe(content, file, quick);
  for (const NetworkPair& pair : recipe.pairs) {
    for (const std::string& net : {pair.teacher, pair.student}) {
      try {
        make_network(net, {}, 10);
      } catch (const Error& error) {
        fail(ErrorKind::input, text(pair.where, ": ", error.what()));
      }
    }
  }
  return recipe;
}

std::vector<std::string> recipe_names() {
  return {"demo", "mnist", "fashion-mnist", "cifar10", "cifar100", "cifar100-beyond", "xcl-mnist", "tst-mnist", "gaze-synthetic"};
}

Recipe find_recipe(const std::string& name_or_file, bool quick) {
  const auto names = recipe_names();
  if (std::find(names.begin(), names.end(), name_or_file) != names.end()) {
    const std::string file = name_or_file + ".toml";
    return read_recipe(std::string(recipe_files().at(file).text), file, quick);
  }
  RETORT_CHECK(std::filesystem::is_regular_file(name_or_file), "unknown recipe '", printable(name_or_file),
               "' (known: ", joined(names), "; or give a TOML file)");
  return read_recipe(read_text(name_or_file), name_or_file, quick);
}

}  // namespace retort
