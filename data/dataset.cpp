#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "data/file.h"
#include "kernels/error.h"

namespace retort {

namespace {

void validate_split(const Dataset& dataset, const ImageSplit& split, const char* which) {
  const auto n = static_cast<std::size_t>(split.count());
  const auto rows = [&](std::size_t size, std::size_t width, const char* what, bool optional) {
    RETORT_CHECK_AS(ErrorKind::input, size == n * width || (optional && size == 0), dataset.name, ": the ", which,
                    " split has ", size, " ", what, " for ", n, " samples of ", width);
  };
  RETORT_CHECK_AS(ErrorKind::input, n > 0, dataset.name, ": the ", which, " split is empty");
  rows(split.pixels.size(), dataset.image_bytes(), "pixel bytes", false);
  rows(split.labels.size(), 1, "labels", dataset.classes == 0);
  rows(split.targets.size(), static_cast<std::size_t>(split.target_width), "targets", dataset.classes > 0);
  rows(split.auxiliary.size(), static_cast<std::size_t>(split.auxiliary_width), "auxiliary values", true);
  rows(split.difficulty.size(), 1, "difficulties", true);
  rows(split.clean_labels.size(), 1, "clean labels", true);
  rows(split.source.size(), 1, "source rows", true);
  if (dataset.classes == 0) return;
  for (std::size_t i = 0; i < n; ++i) {
    RETORT_CHECK_AS(ErrorKind::input, split.labels[i] >= 0 && split.labels[i] < dataset.classes, dataset.name,
                    ": label ", split.labels[i], " of ", which, " sample ", i, " is not below ", dataset.classes);
  }
}

std::uint32_t checksum_split(const ImageSplit& split) {
  std::uint32_t crc = crc32_of(split.pixels.data(), split.pixels.size());
  crc = crc32_of(split.labels.data(), split.labels.size() * sizeof split.labels[0], crc);
  crc = crc32_of(split.targets.data(), split.targets.size() * sizeof split.targets[0], crc);
  return crc32_of(split.auxiliary.data(), split.auxiliary.size() * sizeof split.auxiliary[0], crc);
}

}  // namespace

int ImageSplit::count() const {
  if (!labels.empty() || target_width == 0) return static_cast<int>(labels.size());
  return static_cast<int>(targets.size() / static_cast<std::size_t>(target_width));
}

std::string checksum_of(const Dataset& dataset) {
  char line[48];
  std::snprintf(line, sizeof line, "train:%08x test:%08x", checksum_split(dataset.train), checksum_split(dataset.test));
  return line;
}

void measure_normalisation(Dataset& dataset) {
  // A histogram is exact, whatever the number of pixels.
  const auto channels = static_cast<std::size_t>(dataset.channels);
  for (std::size_t c = 0; c < 3; ++c) {
    if (c >= channels) {
      dataset.mean[c] = dataset.mean[0];
      dataset.std[c] = dataset.std[0];
      continue;
    }
    std::array<std::uint64_t, 256> histogram{};
    for (std::size_t i = c; i < dataset.train.pixels.size(); i += channels) ++histogram[dataset.train.pixels[i]];
    double count = 0, sum = 0, squares = 0;
    for (std::size_t value = 0; value < 256; ++value) {
      const auto times = static_cast<double>(histogram[value]);
      const double x = static_cast<double>(value) / 255.0;
      count += times;
      sum += times * x;
      squares += times * x * x;
    }
    const double mean = count > 0 ? sum / count : 0;
    const double variance = count > 0 ? std::max(squares / count - mean * mean, 0.0) : 0;
    dataset.mean[c] = static_cast<float>(mean);
    dataset.std[c] = static_cast<float>(std::max(std::sqrt(variance), 1.0 / 255.0));
  }
}

void validate(const Dataset& dataset) {
  RETORT_CHECK_AS(ErrorKind::input, dataset.height > 0 && dataset.width > 0 && dataset.channels > 0, dataset.name,
                  ": images of ", dataset.height, "x", dataset.width, "x", dataset.channels);
  RETORT_CHECK_AS(
      ErrorKind::input,
      dataset.class_names.empty() || dataset.class_names.size() == static_cast<std::size_t>(dataset.classes),
      dataset.name, ": ", dataset.class_names.size(), " class names for ", dataset.classes, " classes");
  validate_split(dataset, dataset.train, "training");
  validate_split(dataset, dataset.test, "test");
}

}  // namespace retort
