#include "distill/significance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "data/file.h"
#include "distill/parse_count.h"
#include "engine/atomic_file.h"
#include "kernels/error.h"

namespace retort {
namespace {

constexpr const char* header = "index,label,count";

}  // namespace

std::vector<float> significance_weights(const Significance& s, const std::string& mapping, double top_share) {
  const std::size_t n = s.count.size();
  std::vector<float> weights(n, 0.0F);
  if (n == 0) return weights;
  if (mapping == "top-share") {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return s.count[a] > s.count[b]; });
    const auto kept = static_cast<std::size_t>(std::llround(top_share * static_cast<double>(n)));
    for (std::size_t i = 0; i < std::min(kept, n); ++i) weights[order[i]] = 1.0F;
    return weights;
  }
  const double highest = *std::max_element(s.count.begin(), s.count.end());
  const double epochs = std::max(s.epochs, 1);
  for (std::size_t i = 0; i < n; ++i) {
    const double count = s.count[i];
    double weight = 0;
    if (mapping == "rate") {
      weight = count / epochs;
    } else if (mapping == "linear") {
      weight = highest > 0 ? count / highest : 0;
    } else {
      RETORT_CHECK(mapping == "log", "unknown significance weights '", mapping, "'");
      weight = std::log1p(count) / std::log1p(epochs);
    }
    weights[i] = static_cast<float>(std::min(weight, 1.0));
  }
  return weights;
}

std::vector<std::int32_t> positive_rows(const std::vector<float>& weights) {
  std::vector<std::int32_t> rows;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) rows.push_back(static_cast<std::int32_t>(i));
  }
  return rows;
}

void write_significance_csv(const std::string& path, const Significance& s) {
  std::ostringstream out;
  out << "# epochs=" << s.epochs << "\n" << header << "\n";
  for (std::size_t i = 0; i < s.count.size(); ++i) out << s.index[i] << ',' << s.label[i] << ',' << s.count[i] << "\n";
  write_file_atomically(path, out.str());
}

Significance parse_significance_csv(const std::string& content, const std::string& name) {
  Significance s;
  std::istringstream in(content);
  std::string line;
  int number = 0;
  bool header_seen = false;
  std::set<std::int32_t> seen;
  while (std::getline(in, line)) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    if (line[0] == '#') {
      const auto place = line.find("epochs=");
      if (place != std::string::npos) {
        RETORT_CHECK_AS(ErrorKind::input, parse_count(line.substr(place + 7), s.epochs), name, ":", number,
                        ": epochs must be a number");
      }
      continue;
    }
    if (!header_seen) {
      RETORT_CHECK_AS(ErrorKind::input, line == header, name, ":", number, ": expected the header '", header, "'");
      header_seen = true;
      continue;
    }
    std::array<std::int32_t, 3> row;
    RETORT_CHECK_AS(ErrorKind::input, parse_counts(line, row), name, ":", number, ": expected index,label,count, got '",
                    printable(line.substr(0, 60)), "'");
    const auto [index, label, count] = row;
    RETORT_CHECK_AS(ErrorKind::input, seen.insert(index).second, name, ":", number, ": sample ", index, " for the second time");
    s.index.push_back(index);
    s.label.push_back(label);
    s.count.push_back(count);
  }
  RETORT_CHECK_AS(ErrorKind::input, !s.count.empty(), name, ": no samples");
  const int highest = *std::max_element(s.count.begin(), s.count.end());
  if (s.epochs == 0) s.epochs = highest;
  RETORT_CHECK_AS(ErrorKind::input, highest <= s.epochs, name, ": a count of ", highest, " in ", s.epochs, " epochs");
  return s;
}

Significance read_significance_csv(const std::string& path) { return parse_significance_csv(read_text(path), path); }

void add_significance(TensorFile& file, const Significance& s) {
  const auto n = static_cast<std::int64_t>(s.count.size());
  file.tensors["retort/significance"] = FileTensor::of(s.count, {n});
  file.tensors["retort/significance_index"] = FileTensor::of(s.index, {n});
  file.tensors["retort/significance_label"] = FileTensor::of(s.label, {n});
  file.metadata["significance_epochs"] = std::to_string(s.epochs);
}

Significance significance_of(const TensorFile& file, const std::string& path) {
  RETORT_CHECK_AS(ErrorKind::input, file.has("retort/significance"), path,
                  " holds no significance: train the teacher with --regulation mask, or give --significance FILE");
  const auto integers = [&](const char* name) {
    RETORT_CHECK_AS(ErrorKind::input, file.has(name), path, ": no tensor '", name, "'");
    const auto wide = file.at(name).to_integers();
    return std::vector<std::int32_t>(wide.begin(), wide.end());
  };
  Significance s;
  s.count = integers("retort/significance");
  s.index = integers("retort/significance_index");
  s.label = integers("retort/significance_label");
  const auto epochs = file.metadata.find("significance_epochs");
  RETORT_CHECK_AS(ErrorKind::input, s.index.size() == s.count.size() && s.label.size() == s.count.size() &&
                      epochs != file.metadata.end() && parse_count(epochs->second, s.epochs),
                  path, ": the significance in this checkpoint is damaged");
  return s;
}

Significance aligned(const Significance& s, const std::vector<std::int32_t>& rows,
                     const std::vector<std::int32_t>& labels, const std::string& name) {
  std::map<std::int32_t, std::size_t> place;
  for (std::size_t i = 0; i < s.index.size(); ++i) place[s.index[i]] = i;
  Significance out;
  out.epochs = s.epochs;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto found = place.find(rows[i]);
    RETORT_CHECK_AS(ErrorKind::input, found != place.end(), name, ": no significance for training sample ", rows[i]);
    RETORT_CHECK_AS(ErrorKind::input, s.label[found->second] == labels[i], name, ": training sample ", rows[i],
                    " has label ", labels[i], " here and ", s.label[found->second], " there: another data set?");
    out.count.push_back(s.count[found->second]);
    out.index.push_back(rows[i]);
    out.label.push_back(labels[i]);
  }
  return out;
}

}  // namespace retort
