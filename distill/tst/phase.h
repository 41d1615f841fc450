// TST's second stage (arXiv:2212.05422): the augmentation module learns while teacher and student are frozen. It looks
// for images that the teacher knows and the student does not:
//
//     L = mean_i [ -log p_teacher(y_i | x'_i) ] + mean_i [ -log(1 - p_student(y_i | x'_i) + 1e-8) ]
//
// by SGD on the 25 scalars.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/device_dataset.h"
#include "distill/device_step.h"
#include "distill/epoch_feed.h"
#include "distill/tst/transforms.h"
#include "nets/network.h"

namespace retort {

/// Ablations: what the module learns from.
struct PhaseTerms {
  bool teacher = true, student = true;
};

struct PhasePlan {
  Network* teacher = nullptr;
  Network* student = nullptr;
  LearnedTransforms* transforms = nullptr;
  DeviceDataset* data = nullptr;
  Augmentation augmentation;  ///< of the images that the module starts from
  int batch = 0;
  std::uint32_t seed = 0;
  double learning_rate = 0.01, momentum = 0.9;  ///< the published ones
  PhaseTerms terms;
};

/// Means over images x', of networks in evaluation mode.
struct PhaseRecord {
  int phase = 0, epoch = 0;                   ///< from 1 on; 0: as the phase begins
  bool compares = false;                      ///< x' by the same draws at the phase's beginning and at its end
  double teacher_loss = 0, student_loss = 0;  ///< cross-entropy with the label
  double teacher_accuracy = 0, student_accuracy = 0;
  std::int64_t rows = 0;
  std::vector<double> chances, strengths;  ///< at the end of the epoch
};

class LearningPhase {
 public:
  LearningPhase(Context& context, const PhasePlan& plan, int samples);

  /// An epoch over these rows. Draws are those of `epoch_key`, which no other epoch of the run has.
  PhaseRecord epoch(const std::vector<std::int32_t>& order, std::uint32_t epoch_key);
  /// Nothing is learned: what the networks say of x' now, over the rows once for each key.
  PhaseRecord look(const std::vector<std::int32_t>& order, const std::vector<std::uint32_t>& epoch_keys);
  /// For measuring memory: a step without values.
  void measure(int rows);

 private:
  void pass(const std::vector<std::int32_t>& order, std::uint32_t epoch_key, bool learns, PhaseRecord& sums);
  PhaseRecord means(PhaseRecord sums) const;
  void step(int rows, bool learns);

  Context& context_;
  PhasePlan plan_;
  EpochFeed feed_;
  DeviceStep teacher_step_, student_step_;  ///< the first also has the rates
};

}  // namespace retort
