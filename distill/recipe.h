// A recipe: one comparison of distillation methods on one data set, with its controls and published yardsticks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "distill/options.h"

namespace retort {

/// The rows of a table, in order. Controls say what a saving is worth: the same number of samples chosen at random,
/// the same share of a batch chosen at random, ordinary distillation given the same seconds.
enum class Arm {
  teacher,            ///< conventional training
  regulated_teacher,  ///< self-regulated training; counts significance
  student,            ///< student alone, on labels
  kd,                 ///< from the conventional teacher
  significance,       ///< this and all below from the self-regulated teacher
  regulated,
  hybrid,
  random_subset,      ///< control: kd on a random subset of the significance subset's size
  random_mask,        ///< control: kd, a random mask with the regulated student's participation share
  kd_same_seconds     ///< control: kd, its schedule shortened to the significance run's seconds
};

struct ArmInfo {
  Arm arm;
  const char* id;     ///< folder and JSON name
  const char* label;  ///< in the table
  bool student;       ///< a student distilled from a teacher
};
const std::vector<ArmInfo>& arms();
const ArmInfo& arm_info(Arm arm);

struct Recipe {
  std::string name, summary;
  RunOptions base;                      ///< data, networks' recipe, epochs; seed, net and method are set per run
  std::string teacher_net, student_net;
  int seeds = 1;
  bool shares_teachers = false;         ///< seeds share the teachers of seed 1
  std::map<Arm, double> lr;             ///< fixed learning rates; arms without one use the data set's recipe
  std::vector<double> lr_grid;          ///< tried for every student method on `tune_held_out` training images
  int tune_held_out = 5000;
  std::map<Arm, double> published;      ///< accuracy in percent, where there is one
  std::string published_source;
  bool knows_difficulty = false;        ///< the synthetic set: significance is compared with the truth
};

/// demo, mnist. `data_dir` holds the data set's files (demo needs none). Throws Error(usage) listing the names.
Recipe make_recipe(const std::string& name, const std::string& data_dir);
std::vector<std::pair<std::string, std::string>> recipe_list();  // name, summary

/// The options of one run of a recipe, before resolve(); what depends on other runs is filled in by the caller.
RunOptions arm_options(const Recipe& recipe, Arm arm, std::uint32_t seed);

}  // namespace retort
