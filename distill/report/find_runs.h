// Which runs a report is about, and what they are called in it.
#pragma once

#include <string>
#include <vector>

namespace retort {

struct FoundRun {
  std::string folder;
  std::string name;   ///< the last parts of the folder's path, as many as tell the runs apart
  std::string group;  ///< runs that differ by the seed alone share it, and a colour; else the name
};

struct FoundRuns {
  std::vector<FoundRun> runs;
  std::vector<std::string> tables;  ///< paths of the table.json files of `retort reproduce`
};

/// Each path is a run folder, or a folder with run folders below it, which come in the order of a recipe's arms. What
/// chose learning rates (a folder `tune`) is left out unless it is named. A run that is found twice counts once.
/// Throws Error(input) that names the path where there is no run.
FoundRuns find_runs(const std::vector<std::string>& paths);

}  // namespace retort
