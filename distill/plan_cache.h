// The plans that this machine has decided on: one file a device and version of cuDNN, shared by all runs.
#pragma once

#include <string>

#include "distill/plan_file.h"
#include "distill/trainer.h"

namespace retort {

/// $RETORT_CACHE_DIR, or retort in $XDG_CACHE_HOME or ~/.cache; empty where there is none of them.
std::string cache_folder();

class PlanCache {
 public:
  explicit PlanCache(const DeviceInfo& device);

  const std::string& path() const { return path_; }
  /// What is there. A file that cannot be used is said to be ignored, in one line.
  PlanFile read(const LineSink& say) const;
  /// Adds the entries to what is there by now. Where that cannot be written it says so, and the next run decides anew.
  void add(const std::vector<PlanFile::Entry>& entries, const LineSink& say) const;

 private:
  DeviceInfo device_;
  std::string path_;  // empty: no cache
};

}  // namespace retort
