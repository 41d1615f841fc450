// Result tables: one row an arm, mean and standard error over seeds, as text, Markdown, CSV and JSON.
#pragma once

#include <string>
#include <vector>

#include "distill/recipe.h"
#include "distill/run_folder.h"

namespace retort {

struct ArmRuns {
  Arm arm = Arm::teacher;
  double lr = 0;
  std::string folder;              ///< of the first seed, beside the table, which may so be moved and published
  std::vector<RunResult> results;  ///< by seed; finished == false: that run diverged
};

struct Table {
  std::string recipe, title;
  std::vector<ArmRuns> rows;
  std::map<Arm, double> published;
  std::string published_source;
  std::vector<std::string> notes;
  double conventional_samples = 0;  ///< one student epoch count: what 100 % of student samples means
};

struct MeanError {
  double mean = 0, error = 0;  ///< standard error of the mean; 0 for one value
  int n = 0;
};
MeanError mean_error(const std::vector<double>& values);

/// "method minus control" by seed, for each method and its control.
std::vector<std::string> paired_differences(const Table& table);

std::string to_markdown(const Table& table);
std::string to_csv(const Table& table);
std::string to_json(const Table& table);

}  // namespace retort
