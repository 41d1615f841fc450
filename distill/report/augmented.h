// What a TST run's learned augmentation makes of training images, and what teacher and student say to them.
#pragma once

#include <string>
#include <vector>

#include "distill/report/samples.h"

namespace retort {

struct AugmentedEntry {
  int index = 0, label = 0;         ///< row in the data set as published
  std::string operations;           ///< those the image was offered: "rotate, invert, ..."
  std::string original, augmented;  ///< data URIs
  /// Probability of the label, of the original and of the augmented image.
  double teacher[2] = {}, student[2] = {};
};

/// By the module, the student and the teacher of the run's last checkpoint. Empty where the run has no such module;
/// what is not reachable is added to run.missing.
std::vector<AugmentedEntry> look_at_augmentation(ReportedRun& run, DataSource& source);

}  // namespace retort
