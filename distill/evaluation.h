// A network on a whole split, in evaluation mode.
#pragma once

#include <vector>

#include "distill/device_step.h"
#include "distill/epoch_feed.h"
#include "distill/task.h"
#include "engine/recorded_steps.h"
#include "nets/network.h"

namespace retort {

struct Evaluation {
  double metric = 0;  ///< Task::value over the split
  double loss = 0;    ///< mean row loss
  std::int64_t rows = 0;
};

class Evaluator {
 public:
  /// `batch` rows at a time. With `record`, later runs replay what the first ones did, where the device can.
  Evaluator(Context& context, Network& network, DeviceDataset& data, const Task& task, int batch, bool record = false);

  /// Over the whole split, in its order. `logits` (count, outputs), if given, receives the network's outputs.
  Evaluation run(std::vector<float>* logits = nullptr);

 private:
  Tensor one_batch(int rows);

  Context& context_;
  Network& network_;
  DeviceDataset& data_;
  const Task& task_;
  int batch_;
  EpochFeed feed_;
  RecordedSteps recorded_;
  DeviceStep step_;
};

/// Once.
Evaluation evaluate(Context& context, Network& network, DeviceDataset& data, const Task& task, int batch,
                    std::vector<float>* logits = nullptr);

}  // namespace retort
