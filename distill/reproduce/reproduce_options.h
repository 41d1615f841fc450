// How a recipe is run: what a caller of `retort reproduce` decides.
#pragma once

#include <string>

namespace retort {

struct ReproduceOptions {
  std::string out;  ///< folder for all runs and table.md, table.csv, table.json
  int seeds = 0;    ///< 0: the recipe's
  int threads = 0;
  std::string device = "auto", precision = "fp32";
  bool tune = false;       ///< choose learning rates by the recipe's [tune] first
  bool plan_only = false;  ///< say what would be run, and end
  std::string program;     ///< a retort that trains; empty: this one
};

}  // namespace retort
