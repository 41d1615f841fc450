// All that a page shows, as one JSON object; page.js says what it does with each part.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "distill/report/augmented.h"
#include "distill/report/run_data.h"
#include "distill/report/samples.h"

namespace retort {

/// A run and what its data set tells of it.
struct ReportedFindings {
  ReportedRun run;
  SampleFindings samples;
  std::vector<AugmentedEntry> augmented;
};

/// `tables`: paths of table.json files. Pictures are left out evenly where they would make the page too large.
nlohmann::ordered_json page_data(const std::vector<ReportedFindings>& runs, const std::vector<std::string>& tables);

}  // namespace retort
