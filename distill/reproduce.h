// Runs a recipe: teachers, students and controls over the seeds, then the table. Finished runs are kept.
#pragma once

#include <string>

#include "distill/recipe.h"
#include "distill/table.h"
#include "distill/trainer.h"

namespace retort {

struct ReproduceOptions {
  std::string out;       ///< folder for all runs and table.md, table.csv, table.json
  int seeds = 0;         ///< 0: the recipe's
  int threads = 0;
  std::string device = "auto", precision = "fp32";
};

/// Throws Error(usage) when interrupted: "stopped; the same command continues". Runs that diverge stand in the table as such.
Table reproduce(Recipe recipe, const ReproduceOptions& options, const LineSink& say);

/// Spearman's rank correlation, ties at their mean rank.
double spearman(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace retort
