#include "distill/normalisation.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace retort {
namespace {

constexpr std::size_t most_channels = 3;  // that a data set can normalise

std::vector<float> parse(const std::string& words, const std::string& path, const char* key) {
  std::vector<float> values;
  const char *at = words.data(), *end = at + words.size();
  while (values.size() <= most_channels) {
    float value = 0;
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc()) break;
    values.push_back(value);
    if (stop == end) return values;
    if (*stop != ',') break;
    at = stop + 1;
  }
  fail(ErrorKind::input, text(path, ": metadata '", key, "' is '", printable(words), "', no list of numbers"));
}

}  // namespace

void check_normalisation(const Normalisation& n, int channels, ErrorKind kind, const std::string& who) {
  const auto wanted = static_cast<std::size_t>(channels);
  RETORT_CHECK_AS(kind, wanted <= most_channels && n.mean.size() == wanted && n.std.size() == wanted, who, ": ",
                  n.mean.size(), " means and ", n.std.size(), " deviations for ", channels, " channels");
  const bool finite = std::all_of(n.mean.begin(), n.mean.end(), [](float v) { return std::isfinite(v); });
  const bool positive = std::all_of(n.std.begin(), n.std.end(), [](float v) { return std::isfinite(v) && v > 0; });
  RETORT_CHECK_AS(kind, finite && positive, who, ": ", to_text(n), "; a mean is a number, a deviation a positive one");
}

Normalisation normalisation_of(const Dataset& dataset) {
  const std::ptrdiff_t channels = std::min<std::ptrdiff_t>(dataset.channels, most_channels);
  return {{dataset.mean.begin(), dataset.mean.begin() + channels},
          {dataset.std.begin(), dataset.std.begin() + channels}};
}

std::optional<Normalisation> normalisation_of(const TensorFile& file, const std::string& path, int channels) {
  const auto mean = file.metadata.find("mean"), deviation = file.metadata.find("std");
  if (mean == file.metadata.end() && deviation == file.metadata.end()) return std::nullopt;
  RETORT_CHECK_AS(ErrorKind::input, mean != file.metadata.end() && deviation != file.metadata.end(), path,
                  ": metadata has one of 'mean' and 'std' without the other");
  Normalisation n{parse(mean->second, path, "mean"), parse(deviation->second, path, "std")};
  check_normalisation(n, channels, ErrorKind::input, path);
  return n;
}

void add_normalisation(TensorFile& file, const Normalisation& n) {
  file.metadata["mean"] = to_text(n.mean);
  file.metadata["std"] = to_text(n.std);
}

void set_normalisation(Dataset& dataset, const Normalisation& n) {
  check_normalisation(n, dataset.channels, ErrorKind::usage, dataset.name);
  for (std::size_t c = 0; c < dataset.mean.size(); ++c) {
    const std::size_t from = c < n.mean.size() ? c : 0;
    dataset.mean[c] = n.mean[from];
    dataset.std[c] = n.std[from];
  }
}

std::string to_text(const std::vector<float>& values) {
  std::string out;
  for (const float value : values) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);  // the shortest that reads the same
    out += (out.empty() ? "" : ",") + std::string(digits, error == std::errc() ? end : digits);
  }
  return out;
}

std::string to_text(const Normalisation& n) {
  return "mean " + to_text(n.mean) + ", std " + to_text(n.std);
}

}  // namespace retort
