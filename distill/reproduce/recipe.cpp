#include "distill/reproduce/recipe.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "data/dataset.h"
#include "kernels/error.h"

namespace retort {

std::vector<std::string> Arm::needs() const {
  std::vector<std::string> others;
  for (const std::string& id : {taught_by, subset_of, share_of, seconds_of}) {
    if (!id.empty()) others.push_back(id);
  }
  if (!seconds_of.empty()) others.push_back(like);
  return others;
}

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
  if (recipe.data.find(':') != std::string::npos || recipe.data == "synthetic") return;
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

}  // namespace retort
