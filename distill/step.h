// One step of training, with or without self-regulation: from the next rows of the epoch to updated parameters. On a
// GPU it is recorded once and replayed; the host reads nothing back.
#pragma once

#include <memory>
#include <vector>

#include "distill/device_step.h"
#include "distill/epoch_feed.h"
#include "distill/methods/method.h"
#include "distill/options.h"
#include "distill/task.h"
#include "distill/teacher.h"
#include "distill/tst/transforms.h"
#include "engine/optimizer.h"
#include "engine/recorded_steps.h"
#include "nets/network.h"

namespace retort {

/// What is trained and how; fixed for a run.
struct StepPlan {
  Network* network = nullptr;
  Teacher* teacher = nullptr;  ///< null: train on labels alone
  const Method* method = nullptr;  ///< how it learns from the teacher
  const Task* task = nullptr;
  DeviceDataset* data = nullptr;
  LearnedTransforms* transforms = nullptr;  ///< of a copy of each sample that the step also gets, or null
  Augmentation augmentation;
  OptimizerOptions optimizer;
  LossOptions loss;
  DistillationWeights distillation;
  ForwardMode scoring;  ///< of compact regulation's scoring pass
  int batch = 0;
  bool record = false;          ///< steps are recorded and replayed, where the device can
  bool teacher_beside = false;  ///< the teacher's forward pass may run beside the student's
  /// Rows of a step for each row of its batch.
  int copies() const { return transforms != nullptr ? 2 : 1; }
};

class StepRunner {
 public:
  StepRunner(Context& context, const StepPlan& plan, int data_count);

  /// The tables of an epoch, for the steps that begin from now on (DeviceStep::host.batch says with which).
  void begin_epoch(const std::vector<std::int32_t>& order, const std::vector<StepRates>& rates);

  /// Conventional or masked, on the next `rows` rows (and their copies): one forward over all of them, gradient from
  /// participants only. `step` counts rows, participants and significance.
  void train(int rows, DeviceStep& step);

  /// Where participants come from: a scoring pass, or what the last one said of each sample.
  enum class Scoring { now, recalled };
  /// Compact: scores the next `rows` rows and queues the participants (`scoring` counts them and their significance);
  /// if a full batch is queued then, takes one training step on exactly those (`training` counts it).
  void train_compact(int rows, DeviceStep& scoring, DeviceStep& training, Scoring how = Scoring::now);
  /// Launches of train()'s recording for that many rows; 0 where it is not recorded.
  std::size_t recorded_launches(int rows) const { return recorded_.launches("train", rows); }
  /// Multiply-accumulates of one of those training steps, which the context does not count: only the device knows how
  /// many there are.
  double queued_step_macs() const { return queued_step_macs_; }

  /// Significance, "ever entered a backward pass", "participates, by the last judgement", queue: the state that lives
  /// on the device between steps.
  std::vector<std::int32_t> significance() const;
  std::vector<std::uint8_t> entered() const;
  std::vector<std::uint8_t> judged() const;
  std::vector<std::int32_t> queue() const;
  void restore(const std::vector<std::int32_t>& significance, const std::vector<std::uint8_t>& entered,
               const std::vector<std::uint8_t>& judged, const std::vector<std::int32_t>& queue);

  /// Seconds spent making batches since the last call, where that can be told: on the CPU.
  double take_data_seconds();

 private:
  struct Outcome {
    RowReport rows;
    Tensor samples, labels;
  };
  Tensor next_samples(int rows, DeviceStep& step);
  Batch make_batch(const Tensor& samples, const DeviceStep& step);
  Tensor teacher_logits(const Batch& batch, const DeviceStep& step);
  /// Forward, loss, backward, update. Nothing is committed.
  Outcome forward_backward_update(const Tensor& samples, const LossOptions& loss, DeviceStep& step);
  void score(int rows, DeviceStep& scoring);
  void recall(int rows, DeviceStep& scoring);
  void queue_participants(const Tensor& samples, const Tensor& participates, const DeviceStep& scoring);
  void train_queued(DeviceStep& scoring, DeviceStep& training);
  void transform_copies(Batch& batch, const StepState* state);
  void commit(const Outcome& outcome, bool counts_significance, bool updated, bool commits_buffers, DeviceStep& step);

  Context& context_;
  StepPlan plan_;
  int data_count_;
  int queue_capacity_;
  EpochFeed feed_;
  RecordedSteps recorded_;
  DeviceBlock significance_, entered_, judged_, queue_, queue_count_;
  bool trained_queued_ = false;
  double queued_step_macs_ = 0;
  double data_seconds_ = 0;
};

/// The first parameter or running statistic that is not finite, or an empty string.
std::string first_nonfinite_value(const Network& network);

}  // namespace retort
