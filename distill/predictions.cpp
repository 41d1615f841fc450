#include "distill/predictions.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "data/file.h"
#include "distill/parse_count.h"
#include "engine/atomic_file.h"
#include "kernels/error.h"

namespace retort {
namespace {

constexpr const char* header = "index,label,prediction";

}  // namespace

Predictions predictions_of(const ImageSplit& split, const std::vector<float>& logits) {
  const std::size_t samples = split.labels.size();
  RETORT_CHECK(samples > 0 && logits.size() % samples == 0, logits.size(), " logits for ", samples, " samples");
  const auto classes = static_cast<std::ptrdiff_t>(logits.size() / samples);
  Predictions out;
  out.label = split.labels;
  for (std::size_t i = 0; i < samples; ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i) * classes;
    out.index.push_back(split.source_row(static_cast<int>(i)));
    out.prediction.push_back(static_cast<std::int32_t>(std::max_element(row, row + classes) - row));
  }
  return out;
}

std::vector<std::vector<int>> confusion_of(const Predictions& p, int classes) {
  const auto n = static_cast<std::size_t>(classes);
  std::vector<std::vector<int>> counts(n, std::vector<int>(n));
  for (std::size_t i = 0; i < p.label.size(); ++i) {
    ++counts.at(static_cast<std::size_t>(p.label[i])).at(static_cast<std::size_t>(p.prediction[i]));
  }
  return counts;
}

void write_predictions_csv(const std::string& path, const Predictions& p) {
  std::ostringstream out;
  out << header << "\n";
  for (std::size_t i = 0; i < p.label.size(); ++i)
    out << p.index[i] << ',' << p.label[i] << ',' << p.prediction[i] << "\n";
  write_file_atomically(path, out.str());
}

Predictions parse_predictions_csv(const std::string& content, const std::string& name) {
  std::istringstream in(content);
  std::string line;
  RETORT_CHECK_AS(ErrorKind::input, std::getline(in, line) && line == header, name, ":1: expected the header '", header,
                  "'");
  Predictions p;
  for (int number = 2; std::getline(in, line); ++number) {
    std::array<std::int32_t, 3> row;
    RETORT_CHECK_AS(ErrorKind::input, parse_counts(line, row), name, ":", number, ": expected ", header, ", got '",
                    printable(line.substr(0, 60)), "'");
    p.index.push_back(row[0]);
    p.label.push_back(row[1]);
    p.prediction.push_back(row[2]);
  }
  RETORT_CHECK_AS(ErrorKind::input, !p.label.empty(), name, ": no samples");
  return p;
}

Predictions read_predictions_csv(const std::string& path) {
  return parse_predictions_csv(read_text(path), path);
}

}  // namespace retort
