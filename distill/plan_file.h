// A file of plans for convolutions: what was decided on a machine, or in a run. JSON, a line a plan.
#pragma once

#include <string>
#include <vector>

#include "kernels/convolution_plan.h"
#include "kernels/device_info.h"

namespace retort {

struct PlanFile {
  struct Entry {
    PlanRules rules;  ///< that it was chosen by
    PlanChoice choice;
  };
  std::string device, cudnn;  ///< a plan is one of this version's, and the fastest on this device
  std::vector<Entry> entries;

  static PlanFile of(const DeviceInfo& device) { return {device.name, device.cudnn, {}}; }
  bool fits(const DeviceInfo& here) const { return device == here.name && cudnn == here.cudnn; }

  std::vector<PlanChoice> choices(const PlanRules& rules) const;
  /// Adds a choice, or puts it in the place of an earlier one for the same problem and rules.
  void put(const PlanRules& rules, const PlanChoice& choice);
};

std::string to_json(const PlanFile& file);
/// What to_json wrote. Throws Error(input) that begins with `name`.
PlanFile plan_file_of(const std::string& json, const std::string& name);

/// As files and tables say it: forward, data gradient, filter gradient; fp32, tf32, bf16.
const char* name_of(Precision precision);

}  // namespace retort
