// Significance: how often a training sample entered the teacher's backward pass (arXiv:2102.07125), and the loss
// weights made from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/safetensors.h"

namespace retort {

struct Significance {
  std::vector<std::int32_t> count;   // (samples)
  std::vector<std::int32_t> index;   // (samples) row in the data set as published
  std::vector<std::int32_t> label;   // (samples)
  int epochs = 0;                    ///< E: how often a sample could have entered
};

/// w(s) for every sample: rate = s/E, linear = s/max(s), log = log(1+s)/log(1+E), top-share = 1 for the given share of
/// samples with the highest s (ties: lower index first), else 0. All in [0, 1].
std::vector<float> significance_weights(const Significance& significance, const std::string& mapping, double top_share);

/// Rows with a positive weight, ascending.
std::vector<std::int32_t> positive_rows(const std::vector<float>& weights);

/// `index,label,count` lines under a header that carries the number of epochs.
void write_significance_csv(const std::string& path, const Significance& significance);
/// Throws Error(input) that names file and line.
Significance read_significance_csv(const std::string& path);
Significance parse_significance_csv(const std::string& text, const std::string& name);

/// As tensors of a checkpoint: retort/significance, retort/significance_index, retort/significance_label.
void add_significance(TensorFile& file, const Significance& significance);
/// Throws Error(input) if the checkpoint has none (the teacher was trained without regulation).
Significance significance_of(const TensorFile& file, const std::string& path);

/// Puts the counts in the order of the training split in use, whose published rows are `rows`.
/// Throws Error(input) when a row has no count or its label differs.
Significance aligned(const Significance& significance, const std::vector<std::int32_t>& rows,
                     const std::vector<std::int32_t>& labels, const std::string& name);

}  // namespace retort
