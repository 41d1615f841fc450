// `retort sweep`: one method of a recipe under several values of one or two options, and which of them are worth their
// cost.
#pragma once

#include <string>
#include <vector>

#include "distill/reproduce/recipe.h"
#include "distill/reproduce/table.h"

namespace retort {

/// An option of a run and the values that it takes.
struct Variation {
  std::string option;
  std::vector<std::string> values;  ///< as TOML writes them
};

/// "confidence=0.5,0.7,0.9". Throws Error(usage) for an unknown option or a value of another kind.
Variation parse_variation(const std::string& text);

/// The recipe with, besides kd and what they need, one arm for each combination of values: METHOD-OPTION-VALUE.
Recipe sweep_recipe(const Recipe& recipe, const std::string& method, const std::vector<Variation>& variations);

/// A method and what it costs.
struct FrontierPoint {
  std::string label;
  double accuracy = 0;   ///< or angle, or error, in the unit of tables: mean over seeds, after the last epoch
  double backwards = 0;  ///< share of conventional training
  double seconds = 0;
  bool best_of_backwards = false, best_of_seconds = false;  ///< nothing is as accurate for less
};

/// The finished students of a section, cheapest in backwards first.
std::vector<FrontierPoint> frontier_of(const TableSection& section);
std::string frontier_to_markdown(const Table& table);
/// teacher,student,method,METRIC,backwards_share,seconds,frontier_backwards,frontier_seconds
std::string frontier_to_csv(const Table& table);

}  // namespace retort
