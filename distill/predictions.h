// What a network predicts for each sample of a split: the class with the highest logit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace retort {

struct Predictions {
  std::vector<std::int32_t> index;       // (samples) row in the data set as published
  std::vector<std::int32_t> label;       // (samples)
  std::vector<std::int32_t> prediction;  // (samples); of equal logits the first
};

/// `logits` (samples, classes) of the split, in its order.
Predictions predictions_of(const ImageSplit& split, const std::vector<float>& logits);

/// confusion[label][prediction] counts.
std::vector<std::vector<int>> confusion_of(const Predictions& predictions, int classes);

/// `index,label,prediction` lines under a header.
void write_predictions_csv(const std::string& path, const Predictions& predictions);
/// Throws Error(input) that names file and line.
Predictions read_predictions_csv(const std::string& path);
Predictions parse_predictions_csv(const std::string& text, const std::string& name);

}  // namespace retort
