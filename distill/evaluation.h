// A network on a whole split, in evaluation mode.
#pragma once

#include <vector>

#include "distill/device_step.h"
#include "distill/task.h"
#include "nets/network.h"

namespace retort {

struct Evaluation {
  double metric = 0;  ///< Task::value over the split
  double loss = 0;    ///< mean row loss
  std::int64_t rows = 0;
};

/// Runs the network over `data` in order, `batch` rows at a time. `logits` (count, outputs), if given, receives the
/// network's outputs.
Evaluation evaluate(Context& context, Network& network, DeviceDataset& data, const Task& task, DeviceStep& step,
                    int batch, std::vector<float>* logits = nullptr);

}  // namespace retort
