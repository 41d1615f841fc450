// Result tables: one row an arm, mean and standard deviation over seeds, as Markdown, CSV and JSON.
#pragma once

#include <string>
#include <vector>

#include "distill/reproduce/recipe.h"
#include "distill/reproduce/run_process.h"

namespace retort {

/// An arm's runs on one pair of networks.
struct TableRow {
  Arm arm;
  double lr = 0;
  double conventional = 0;       ///< samples times epochs: 100 % of forwards and backwards
  std::string folder;            ///< of the first seed, beside the table, which may so be moved and published
  std::vector<RunOutcome> runs;  ///< by seed; those that have not run yet are not there
};

struct TableSection {
  NetworkPair pair;
  double samples = 0;  ///< training samples of the data set: what 100 % of distinct samples means
  std::vector<TableRow> rows;
};

struct Table {
  std::string recipe, title;
  std::vector<TableSection> sections;
  std::string published_from;
  std::vector<std::string> notes;
};

/// Of all runs, which are on one data set: "accuracy", "angle" or "error".
std::string metric_of(const TableSection& section);
std::string metric_of(const Table& table);
/// As tables head its columns.
std::string unit_of(const std::string& metric);

/// "method minus control" by seed: each control against the methods it stands beside, each method against kd.
std::vector<std::string> paired_differences(const TableSection& section);

std::string to_markdown(const Table& table);
std::string to_csv(const Table& table);
std::string to_json(const Table& table);

}  // namespace retort
