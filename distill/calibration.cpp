#include "distill/calibration.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "distill/reproduce/statistics.h"
#include "kernels/error.h"

namespace retort {
namespace {

constexpr std::size_t bins_wanted = 10;

/// 0 where one sample or none has no ranks to compare: a test split may be as small.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() < 2 ? 0 : spearman(a, b);
}

}  // namespace

Calibration calibration_of(const ImageSplit& split, const std::vector<float>& outputs) {
  const auto width = static_cast<std::size_t>(split.target_width);
  const auto samples = static_cast<std::size_t>(split.count());
  RETORT_CHECK(outputs.size() == samples * 2 * width, "calibration: ", outputs.size(), " outputs for ", samples,
               " samples of ", width, " targets");
  std::vector<double> variance(samples), square(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t d = 0; d < width; ++d) {
      const double error = static_cast<double>(outputs[2 * i * width + d]) - split.targets[i * width + d];
      square[i] += error * error / static_cast<double>(width);
      variance[i] += std::exp(static_cast<double>(outputs[(2 * i + 1) * width + d])) / static_cast<double>(width);
    }
  }
  std::vector<std::size_t> order(samples);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return variance[a] < variance[b]; });
  Calibration c;
  const std::size_t count = std::min(bins_wanted, samples);
  for (std::size_t b = 0; b < count; ++b) {
    CalibrationBin bin;
    for (std::size_t k = b * samples / count; k < (b + 1) * samples / count; ++k) {
      ++bin.samples;
      bin.predicted += variance[order[k]];
      bin.observed += square[order[k]];
    }
    bin.predicted = std::sqrt(bin.predicted / bin.samples);
    bin.observed = std::sqrt(bin.observed / bin.samples);
    c.bins.push_back(bin);
  }
  c.error_correlation = rank_correlation(variance, square);  // ranks do not mind the squares
  if (!split.difficulty.empty()) {
    c.difficulty_correlation =
        rank_correlation(variance, std::vector<double>(split.difficulty.begin(), split.difficulty.end()));
  }
  return c;
}

std::string to_json(const Calibration& calibration) {
  nlohmann::ordered_json object;
  object["bins"] = nlohmann::ordered_json::array();
  for (const CalibrationBin& bin : calibration.bins) {
    object["bins"].push_back({{"samples", bin.samples}, {"predicted", bin.predicted}, {"observed", bin.observed}});
  }
  object["error_correlation"] = calibration.error_correlation;
  if (calibration.difficulty_correlation) object["difficulty_correlation"] = *calibration.difficulty_correlation;
  return object.dump(2) + "\n";
}

Calibration calibration_from_json(const std::string& json, const std::string& file) {
  Calibration c;
  try {
    const auto object = nlohmann::json::parse(json);
    for (const auto& bin : object.at("bins")) {
      c.bins.push_back(
          {bin.at("samples").get<int>(), bin.at("predicted").get<double>(), bin.at("observed").get<double>()});
    }
    object.at("error_correlation").get_to(c.error_correlation);
    if (object.contains("difficulty_correlation"))
      c.difficulty_correlation = object["difficulty_correlation"].get<double>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::input, file + " is damaged");
  }
  return c;
}

}  // namespace retort
