// The plans of a run's convolutions on a GPU: from the run's own file where it is resumed, else from the machine's
// cache or, what is not there yet, by timing. On the CPU there is nothing to decide.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "distill/options.h"
#include "distill/plan_cache.h"
#include "distill/trainer.h"

namespace retort {

class RunPlans {
 public:
  /// Plans of earlier runs in this process are forgotten. `resumed` is the plans.json of a run that goes on: its plans
  /// are used and no others. Throws Error(input) where it is damaged, Error(device) where it was written on another
  /// device or with another cuDNN; a run of a version without the file goes on by the heuristics, as it began.
  RunPlans(Device device, const RunOptions& options, const std::string& resumed, LineSink say);

  /// Measures steps (Context::begin_measuring); convolutions that come up and have no plan are tuned, and what was
  /// found is kept in the cache.
  void measure(const std::function<void()>& steps);

  /// The plans in use, as plans.json.
  void write(const std::string& path) const;

 private:
  void report();

  LineSink say_;
  std::optional<DeviceInfo> device_;  // none: on the CPU
  PlanRules rules_;
  bool tunes_ = false;
};

/// Rules of --fast on|off.
PlanRules plan_rules_of(const std::string& fast);

}  // namespace retort
