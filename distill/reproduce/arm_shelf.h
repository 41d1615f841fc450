// The arms that a recipe can name: the ready-made ones, and those that it defines or changes itself.
#pragma once

#include "distill/toml_reader.h"
// toml++ comes first.
#include <map>

#include "distill/reproduce/recipe.h"

namespace retort {

class ArmShelf {
 public:
  /// With distill/recipes/arms.toml.
  ArmShelf();
  ArmShelf(const ArmShelf&) = delete;
  ArmShelf& operator=(const ArmShelf&) = delete;

  /// A table of arms, which has to live as long as this: one whose id is there already is changed, others begin as the
  /// arm they name under `like`.
  void add(const TomlReader& reader, const toml::table& tables);
  /// Throws Error(input) "WHERE: unknown method", or when arms are like one another in a circle.
  Arm make(const std::string& id, const std::string& where) const { return make(id, where, 0); }

 private:
  struct Layer {
    TomlReader reader;
    const toml::table* table;  // a copy would not know its line
  };
  struct Source {
    std::string like;
    std::vector<Layer> layers;
  };
  Arm make(const std::string& id, const std::string& where, int depth) const;

  toml::table ready_made_;
  std::map<std::string, Source> sources_;
};

/// The options in a table of a recipe, each checked for its name and kind.
void read_options(const TomlReader& reader, const toml::table& table, OptionValues& values);

}  // namespace retort
