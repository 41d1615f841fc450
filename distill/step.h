// One step of training, with or without self-regulation: from row numbers to updated parameters.
#pragma once

#include <memory>

#include "distill/device_step.h"
#include "distill/options.h"
#include "distill/task.h"
#include "distill/teacher.h"
#include "engine/optimizer.h"
#include "nets/network.h"

namespace retort {

/// What is trained and how; fixed for a run.
struct StepPlan {
  Network* network = nullptr;
  Teacher* teacher = nullptr;  ///< null: train on labels alone
  const Task* task = nullptr;
  DeviceDataset* data = nullptr;
  Augmentation augmentation;
  OptimizerOptions optimizer;
  LossOptions loss;
  DistillationWeights distillation;
  ForwardMode scoring;  ///< of compact regulation's scoring pass
  int batch = 0;
};

/// Counts of one call, for the ledger.
struct StepCount {
  std::int64_t forward = 0, backward = 0, teacher_forward = 0;
};

class StepRunner {
 public:
  StepRunner(Context& context, const StepPlan& plan, int data_count);

  /// Conventional or masked: one forward over all rows, gradient from participants only. `step` counts rows,
  /// participants and significance.
  StepCount train(const std::int32_t* samples, int rows, DeviceStep& step);

  /// Compact: scores the rows and queues the participants (`scoring` counts them and their significance); when a full
  /// batch is queued, takes one training step on exactly those (`training`, whose weight_decay the caller has set).
  struct CompactCount {
    StepCount count;
    bool stepped = false;
  };
  CompactCount train_compact(const std::int32_t* samples, int rows, DeviceStep& scoring, DeviceStep& training);

  /// Significance, "ever entered a backward pass", queue: the state that lives on the device between steps.
  std::vector<std::int32_t> significance() const;
  std::vector<std::uint8_t> entered() const;
  std::vector<std::int32_t> queue() const;
  void restore(const std::vector<std::int32_t>& significance, const std::vector<std::uint8_t>& entered,
               const std::vector<std::int32_t>& queue);

  /// Seconds spent making batches, since the last call.
  double take_data_seconds();

 private:
  struct Outcome {
    RowReport rows;
    Tensor samples;
  };
  Batch make_batch(const Tensor& samples, const DeviceStep& step);
  /// Forward, loss, backward, update. Nothing is committed.
  Outcome forward_backward_update(const Tensor& samples, const LossOptions& loss, DeviceStep& step);
  void commit(const Outcome& outcome, bool counts_significance, bool counts_entered, bool commits_buffers,
              DeviceStep& step);

  Context& context_;
  StepPlan plan_;
  int data_count_;
  int queue_capacity_;
  DeviceBlock significance_, entered_, queue_, queue_count_;
  std::int32_t queued_ = 0;
  double data_seconds_ = 0;
};

/// The first parameter whose gradient is not finite, or an empty string: names the culprit of a skipped step.
std::string first_nonfinite_gradient(const Network& network);
/// The first parameter or running statistic that is not finite, or an empty string.
std::string first_nonfinite_value(const Network& network);

}  // namespace retort
