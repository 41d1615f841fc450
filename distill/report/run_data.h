// One run folder as a report reads it. What cannot be read is said, and does not end the report.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "distill/calibration.h"
#include "distill/options.h"
#include "distill/predictions.h"
#include "distill/report/find_runs.h"
#include "distill/run_folder.h"
#include "distill/significance.h"
#include "distill/tst/phase.h"

namespace retort {

struct FileSum {
  std::string name;
  std::size_t bytes = 0;
  std::string crc32;  ///< eight hexadecimal digits
};

struct ReportedRun {
  FoundRun where;
  RunOptions options;
  std::optional<RunResult> result;  ///< of a finished run
  std::vector<EpochRecord> epochs;
  nlohmann::ordered_json environment;        ///< an object, empty where there is none
  std::string data_checksum;                 ///< of the data it was trained on; empty where nothing says
  int train_samples = 0;                     ///< of the data set, 0 where nothing says
  std::vector<std::string> class_names;      ///< empty where nothing says
  std::optional<Significance> significance;  ///< of a self-regulated run, finished or not
  std::optional<Predictions> predictions;    ///< of a finished run
  std::optional<Calibration> calibration;    ///< of a finished regression
  std::vector<PhaseRecord> phases;           ///< in which a TST module learned
  std::vector<FileSum> files;
  std::vector<std::string> missing;  ///< what the page cannot show of this run, a sentence each
};

/// Of its result or, until there is one, of the last epoch that was evaluated; "accuracy" before that.
std::string metric_of(const ReportedRun& run);
/// Not the number of records: with --eval-every there are fewer.
double epochs_done(const ReportedRun& run);

/// Throws Error(input) where config.toml cannot be read: nothing else says what the run is.
ReportedRun read_run(const FoundRun& found);

}  // namespace retort
