// Task: what a network is trained for: its loss by labels, its match with a teacher, its metric. Classification and
// regression go through the same trainer.
#pragma once

#include <memory>

#include "data/device_dataset.h"
#include "engine/losses.h"

namespace retort {

/// What a loss is given besides outputs.
struct LossInput {
  const Batch& batch;
  const StepState* state;
  const LossOptions& options;
};

class Task {
 public:
  virtual ~Task() = default;
  /// "accuracy" (a share), "angle" (mean, in degrees), "error" (root mean square, in the targets' units).
  virtual const char* metric() const = 0;
  virtual bool higher_is_better() const = 0;
  virtual int outputs() const = 0;  ///< width of the network's last layer
  /// By label. Delivers its gradient to `output` when the tape records. The uncertainty signal is the report's confidence.
  virtual RowReport loss(Tape& tape, const Var& output, const LossInput& input) const = 0;
  /// By label and by teacher, whose outputs for the same images are given; likewise.
  virtual RowReport match(Tape& tape, const Var& output, const Tensor& teacher, const LossInput& input,
                          DistillationWeights weights) const = 0;
  /// The metric from running totals.
  virtual double value(const StepState& totals) const = 0;
};

/// Classification where the data set has classes, or else regression with a Gaussian for each target (kernels/
/// gaussian_loss.h), whose metric is the angle between directions where the targets are such (data/synthetic_gaze.h).
std::unique_ptr<Task> make_task(const Dataset& dataset);

/// As people read it: "83.50 %", "5.31 degrees", "0.0123".
std::string metric_text(const std::string& metric, double value);

}  // namespace retort
