// What `retort data check` says about a data set.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace retort {

struct SplitReport {
  int count = 0;
  std::vector<int> per_class;  ///< (classes)
  int pixel_min = 0, pixel_max = 0;
  std::array<double, 3> mean{}, std{};  ///< measured, of pixels / 255; the first `channels` entries count
  int duplicates = 0;                   ///< images equal to an earlier one of the split
  int noisy_labels = -1;                ///< labels that differ from clean_labels; -1: not known
};

struct DatasetReport {
  std::string name;
  int height = 0, width = 0, channels = 0, classes = 0;
  SplitReport train, test;
  int shared = 0;  ///< test images that are also training images
  std::array<float, 3> used_mean{}, used_std{};
  std::string checksum;
  std::vector<std::string> class_names;
  std::vector<std::string> warnings;  ///< things a person should look at; empty for a healthy set
};

/// Reads the whole set once. Error(input) if the set is inconsistent (validate()).
DatasetReport check_dataset(const Dataset& dataset);

/// The report as lines for a terminal, warnings last.
std::vector<std::string> describe(const DatasetReport& report);

}  // namespace retort
