// The StepState in device memory beside the host's picture of it, and the log of skipped steps that they share.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/context.h"
#include "kernels/commit.h"
#include "kernels/step_state.h"

namespace retort {

class DeviceStep {
 public:
  explicit DeviceStep(Context& context)
      : context_(context), block_(context.device(), sizeof(StepState)), log_(context.device()) {
    push();
  }

  StepState host;
  StepState* device() const { return static_cast<StepState*>(block_.data()); }
  SkipLog* log() const { return log_.get(); }

  /// Sends everything, or fetches it. On a GPU both wait for what was launched.
  void push() { copy(block_.data(), &host); }
  void pull() { copy(&host, block_.data()); }

  /// The steps skipped since the last call. Waits for the device only if there are any.
  std::vector<SkippedStep> take_skipped() {
    std::vector<SkippedStep> skipped;
    if (static_cast<const volatile SkipLog*>(log())->count == seen_) return skipped;
    context_.synchronize();  // until then an entry may be written in part
    for (; seen_ < log()->count; ++seen_) skipped.push_back(log()->steps[seen_ % SkipLog::capacity]);
    return skipped;
  }

 private:
  void copy(void* to, const void* from) {
    RETORT_LAUNCH(context_, 0, copy_bytes, to, from, sizeof(StepState));
    context_.synchronize();
  }

  Context& context_;
  DeviceBlock block_;
  SharedValue<SkipLog> log_;
  std::int64_t seen_ = 0;
};

}  // namespace retort
