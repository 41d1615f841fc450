#include "data/check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <unordered_map>

#include "data/file.h"

namespace retort {

namespace {

/// Images seen so far by checksum. Equal checksums are compared byte by byte: among 60,000 images, two different ones
/// may well share a crc32.
class Seen {
 public:
  explicit Seen(std::size_t bytes) : bytes_(bytes) {}
  /// Whether an equal image was added before; adds it if not.
  bool add(const std::uint8_t* image) {
    const std::uint32_t crc = crc32_of(image, bytes_);
    if (find(image, crc)) return true;
    images_.emplace(crc, image);
    return false;
  }
  bool find(const std::uint8_t* image) const { return find(image, crc32_of(image, bytes_)); }

 private:
  bool find(const std::uint8_t* image, std::uint32_t crc) const {
    const auto [begin, end] = images_.equal_range(crc);
    return std::any_of(begin, end, [&](const auto& item) { return std::memcmp(item.second, image, bytes_) == 0; });
  }
  std::size_t bytes_;
  std::unordered_multimap<std::uint32_t, const std::uint8_t*> images_;
};

SplitReport check_split(const Dataset& dataset, const ImageSplit& split, Seen& seen) {
  SplitReport report;
  report.count = split.count();
  report.per_class.assign(static_cast<std::size_t>(dataset.classes), 0);
  for (const std::int32_t label : split.labels) ++report.per_class[static_cast<std::size_t>(label)];
  const auto [low, high] = std::minmax_element(split.pixels.begin(), split.pixels.end());
  report.pixel_min = *low;
  report.pixel_max = *high;
  const auto channels = static_cast<std::size_t>(dataset.channels);
  for (std::size_t c = 0; c < std::min<std::size_t>(channels, 3); ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = c; i < split.pixels.size(); i += channels) {
      const double x = split.pixels[i];
      sum += x;
      squares += x * x;
    }
    const double count = static_cast<double>(split.pixels.size() / channels);
    report.mean[c] = sum / count / 255;
    report.std[c] = std::sqrt(std::max(squares / count - sum / count * (sum / count), 0.0)) / 255;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(report.count); ++i) {
    report.duplicates += seen.add(split.pixels.data() + i * dataset.image_bytes());
  }
  if (!split.clean_labels.empty()) {
    report.noisy_labels = 0;
    for (std::size_t i = 0; i < split.labels.size(); ++i)
      report.noisy_labels += split.labels[i] != split.clean_labels[i];
  }
  return report;
}

void warn_of_split(const DatasetReport& report, const SplitReport& split, const char* which,
                   std::vector<std::string>& warnings) {
  const auto warn = [&](const char* form, auto... values) {
    char line[160];
    std::snprintf(line, sizeof line, form, values...);
    warnings.emplace_back(line);
  };
  int absent = 0;
  for (const int count : split.per_class) absent += count == 0;
  if (absent > 0) warn("%d of %d classes have no %s image", absent, report.classes, which);
  if (split.pixel_min == split.pixel_max) warn("every %s pixel is %d", which, split.pixel_min);
  if (split.duplicates > 0) warn("%d %s images repeat an earlier one", split.duplicates, which);
  if (split.noisy_labels > 0) warn("%d %s labels were changed on purpose", split.noisy_labels, which);
}

void describe_split(const DatasetReport& report, const SplitReport& split, const char* which,
                    std::vector<std::string>& lines) {
  char line[256];
  std::snprintf(line, sizeof line, "%-6s %d images, pixels %d to %d", which, split.count, split.pixel_min,
                split.pixel_max);
  lines.emplace_back(line);
  if (report.classes > 0) {
    const auto [low, high] = std::minmax_element(split.per_class.begin(), split.per_class.end());
    std::snprintf(line, sizeof line, "       %d to %d images a class", *low, *high);
    lines.emplace_back(line);
  }
  std::string row = "       measured mean";
  const int channels = std::min(report.channels, 3);
  const auto add = [&](double value) {
    std::snprintf(line, sizeof line, " %.4f", value);
    row += line;
  };
  for (int c = 0; c < channels; ++c) add(split.mean[static_cast<std::size_t>(c)]);
  row += ", std";
  for (int c = 0; c < channels; ++c) add(split.std[static_cast<std::size_t>(c)]);
  lines.push_back(row);
}

}  // namespace

DatasetReport check_dataset(const Dataset& dataset) {
  validate(dataset);
  DatasetReport report;
  report.name = dataset.name;
  report.height = dataset.height;
  report.width = dataset.width;
  report.channels = dataset.channels;
  report.classes = dataset.classes;
  report.used_mean = dataset.mean;
  report.used_std = dataset.std;
  report.class_names = dataset.class_names;
  report.checksum = checksum_of(dataset);
  const std::size_t bytes = dataset.image_bytes();
  Seen train(bytes), test(bytes);
  report.train = check_split(dataset, dataset.train, train);
  report.test = check_split(dataset, dataset.test, test);
  for (std::size_t i = 0; i < static_cast<std::size_t>(report.test.count); ++i) {
    report.shared += train.find(dataset.test.pixels.data() + i * bytes);
  }
  warn_of_split(report, report.train, "training", report.warnings);
  warn_of_split(report, report.test, "test", report.warnings);
  if (report.shared > 0) {
    report.warnings.push_back(std::to_string(report.shared) + " test images are training images too");
  }
  return report;
}

std::vector<std::string> describe(const DatasetReport& report) {
  std::vector<std::string> lines;
  char line[256];
  std::snprintf(line, sizeof line, "%s: %dx%d pixels, %d channel%s, %d classes", report.name.c_str(), report.height,
                report.width, report.channels, report.channels == 1 ? "" : "s", report.classes);
  lines.emplace_back(line);
  describe_split(report, report.train, "train", lines);
  describe_split(report, report.test, "test", lines);
  if (report.classes > 0 && report.classes <= 20) {
    lines.emplace_back("class                   train    test");
    for (int c = 0; c < report.classes; ++c) {
      const auto row = static_cast<std::size_t>(c);
      const std::string name = report.class_names.empty() ? std::to_string(c) : report.class_names[row];
      std::snprintf(line, sizeof line, "%3d %-18.18s %6d  %6d", c, name.c_str(), report.train.per_class[row],
                    report.test.per_class[row]);
      lines.emplace_back(line);
    }
  }
  std::string used = "normalised with mean";
  const auto add = [&](float value) {
    std::snprintf(line, sizeof line, " %.4f", static_cast<double>(value));
    used += line;
  };
  const auto channels = static_cast<std::size_t>(std::min(report.channels, 3));
  for (std::size_t c = 0; c < channels; ++c) add(report.used_mean[c]);
  used += ", std";
  for (std::size_t c = 0; c < channels; ++c) add(report.used_std[c]);
  lines.push_back(used);
  lines.push_back("checksum " + report.checksum);
  for (const std::string& warning : report.warnings) lines.push_back("warning: " + warning);
  return lines;
}

}  // namespace retort
