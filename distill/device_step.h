// The StepState in device memory beside the host's picture of it.
#pragma once

#include <cstddef>

#include "engine/context.h"
#include "kernels/step_state.h"

namespace retort {

class DeviceStep {
 public:
  explicit DeviceStep(Context& context) : context_(context), block_(context.device(), sizeof(StepState)) { push_all(); }

  StepState host;
  StepState* device() const { return static_cast<StepState*>(block_.data()); }

  /// Sends what the host decides (learning rate, threshold, divisor, ...), leaving counters and totals alone.
  void push_inputs() { copy(offsetof(StepState, gradient_square_sum)); }
  void push_all() { copy(sizeof(StepState)); }
  /// Fetches everything. On a GPU this waits for the step.
  void pull() {
    RETORT_LAUNCH(context_, 0, copy_bytes, &host, block_.data(), sizeof(StepState));
    if (!context_.measuring()) RETORT_BACKEND(context_.device(), synchronize(context_.launch()));
  }

 private:
  void copy(std::size_t bytes) { RETORT_LAUNCH(context_, 0, copy_bytes, block_.data(), &host, bytes); }

  Context& context_;
  DeviceBlock block_;
};

}  // namespace retort
