// Whether a regression's Gaussians are as uncertain as they are wrong.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace retort {

/// Samples of about the same predicted deviation.
struct CalibrationBin {
  int samples = 0;
  double predicted = 0;  ///< root mean square of the predicted deviations
  double observed = 0;   ///< root mean square of the errors; as large where the network is calibrated
};

/// In the targets' units, of each target on its own.
struct Calibration {
  std::vector<CalibrationBin> bins;              ///< as many samples each, the surest first
  double error_correlation = 0;                  ///< Spearman's, of predicted deviation and error over the samples
  std::optional<double> difficulty_correlation;  ///< of predicted deviation and difficulty, where that is known
};

/// `outputs` (samples, 2 D) of the split, in its order: means, then log-variances.
Calibration calibration_of(const ImageSplit& split, const std::vector<float>& outputs);

/// {"bins": [{"samples", "predicted", "observed"}], "error_correlation", "difficulty_correlation"}; the last only where
/// difficulty is known.
std::string to_json(const Calibration& calibration);
/// What that wrote. Throws Error(input) that names the file.
Calibration calibration_from_json(const std::string& json, const std::string& file);

}  // namespace retort
