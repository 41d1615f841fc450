// A recipe: one comparison of distillation methods on one data set, with its controls and published yardsticks. It is a
// TOML file, distill/recipes/*.toml or a user's own; docs/recipes.md describes the keys.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "distill/options.h"

namespace retort {

/// A row of the table. Controls say what a saving is worth: as many samples chosen at random, the same share of a batch
/// chosen at random, ordinary distillation given the same seconds. distill/recipes/arms.toml has those that need no
/// words.
struct Arm {
  std::string id;     ///< folder and JSON name
  std::string label;  ///< in the table
  std::string like;   ///< the arm it began as; empty: none
  bool trains_teacher = false;
  std::string taught_by;   ///< arm that teaches; empty: trained on labels
  std::string subset_of;   ///< random subset of the size that this arm used; empty: none
  std::string share_of;    ///< random mask with this arm's share of participants
  std::string against;     ///< what its paired difference is taken from; empty: kd, of what is no control
  std::string seconds_of;  ///< `like`'s schedule, shortened to this arm's seconds
  OptionValues options;

  bool is_control() const { return !subset_of.empty() || !share_of.empty() || !seconds_of.empty(); }
  /// Arms that have to be finished before it can begin.
  std::vector<std::string> needs() const;
};

struct NetworkPair {
  std::string teacher, student;
  std::map<std::string, double> published;  ///< by arm, accuracy in percent
  std::string where;                        ///< in the recipe's file
};

struct Recipe {
  std::string name, summary;
  std::string data;  ///< NAME, which --data-dir completes, or NAME:PATH, or synthetic
  std::vector<NetworkPair> pairs;
  std::vector<Arm> arms;  ///< in the order of the table; each after those it needs
  int seeds = 1;
  bool shares_teachers = false;                   ///< all seeds learn from the teachers of seed 1
  OptionValues options;                           ///< of every run
  OptionValues teacher_options, student_options;  ///< of the runs that train the pair's teacher, or its student
  std::string published_from;
  std::vector<double> rates;  ///< --tune: learning rates tried for every student arm on held-out training images
  int held_out = 5000;
  bool always_tunes = false;
  bool has_quick = false;  ///< there is a short form

  /// Throws Error(usage) for an arm that is not there.
  const Arm& arm(const std::string& id) const;
};

/// A recipe's TOML. `quick` lays its table [quick] over the rest. Throws Error(input) that names the file, the line
/// where one is known, and what was expected. Networks are not looked at yet.
Recipe parse_recipe(const std::string& content, const std::string& file, bool quick);
/// Parses it, and checks that its networks exist.
Recipe read_recipe(const std::string& content, const std::string& file, bool quick);
/// A built-in one by name, or a file of the user's. Throws Error(usage) that lists the names, Error(input).
Recipe find_recipe(const std::string& name_or_file, bool quick);
/// The built-in ones, in the order of the list.
std::vector<std::string> recipe_names();

/// Keeps the named arms and what they need, and the named pairs ("wrn-40-2:wrn-16-2"); an empty list keeps all.
void select(Recipe& recipe, const std::vector<std::string>& arms, const std::vector<std::string>& pairs);
/// Completes `data` with the folder of the data set's files. Throws Error(usage) if it is needed and not given.
void locate_data(Recipe& recipe, const std::string& data_dir);

/// The options of one run before resolve(); what depends on other runs is not in them yet.
RunOptions arm_options(const Recipe& recipe, const NetworkPair& pair, const Arm& arm, std::uint32_t seed);

}  // namespace retort
