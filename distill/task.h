// Task: what a network is trained for: its loss under a participation rule, its metric, and its sense of uncertainty.
// Classification and regression go through the same trainer.
#pragma once

#include <memory>

#include "data/device_dataset.h"
#include "engine/losses.h"

namespace retort {

class Task {
 public:
  virtual ~Task() = default;
  virtual const char* metric() const = 0;          ///< "accuracy", "error"
  virtual bool higher_is_better() const = 0;
  virtual int outputs() const = 0;                 ///< width of the network's last layer
  /// The loss of the batch; delivers its gradient to `output` when the tape records. The uncertainty signal is the
  /// report's confidence.
  virtual RowReport loss(Tape& tape, const Var& output, const Batch& batch, const StepState* state,
                         const LossOptions& options) const = 0;
  /// The metric from running totals over rows.
  virtual double value(double loss_sum, std::int64_t correct, std::int64_t rows) const = 0;
};

/// Classification (softmax cross-entropy, accuracy) or regression (squared error, root mean squared error) as the
/// data set has labels or targets.
std::unique_ptr<Task> make_task(const Dataset& dataset);

}  // namespace retort
