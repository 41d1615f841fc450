// What only a run's data set can tell: the pictures of its most and least significant samples, what the network
// predicts for them, and how significance goes with difficulty where that is known.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "distill/report/run_data.h"

namespace retort {

struct GalleryEntry {
  int index = 0;                              ///< row in the data set as published
  int label = 0, prediction = -1, count = 0;  ///< prediction -1: not known
  std::string picture;                        ///< data URI
};

/// Significance of the samples in a third of the range of difficulty.
struct DifficultyThird {
  int samples = 0;
  double mean = 0;             // of the counts
  std::vector<int> histogram;  // (epochs + 1) samples by count
};

struct SampleFindings {
  std::vector<GalleryEntry> most, least;
  int ties_most = 0, ties_least = 0;  ///< samples with the last shown entry's count
  std::vector<std::string> class_names;
  std::optional<std::array<DifficultyThird, 3>> difficulty;  ///< easy, middle, hard: d < 1/3, < 2/3, the rest
  double rank_correlation = 0;                               ///< Spearman's, of count and difficulty
};

/// A place for each count from 0 to the epochs. A count above them, of a run stopped within an epoch, goes to the last.
std::size_t histogram_size(const Significance& significance);

/// `wanted` rows with the highest (or lowest) counts. Of rows that tie for the last places evenly spaced ones, so that
/// a data set in the order of its classes shows them all.
std::vector<int> extreme_rows(const std::vector<std::int32_t>& counts, bool highest, int wanted);

/// Data sets of the runs of a report, the last one kept: neighbouring runs mostly share theirs.
class DataSource {
 public:
  /// `moved`: data sets as for --data, each in place of those of the same name.
  explicit DataSource(std::vector<std::string> moved) : moved_(std::move(moved)) {}
  /// Throws Error where it cannot be loaded, or holds other samples than the run was trained on.
  const Dataset& of(const ReportedRun& run);

 private:
  std::vector<std::string> moved_;
  std::string key_;
  Dataset data_;
};

/// Findings about a run with significance. What is not reachable is added to run.missing.
SampleFindings look_at_samples(ReportedRun& run, DataSource& source, int wanted);

}  // namespace retort
