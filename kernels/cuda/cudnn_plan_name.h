// Names of plans: an engine's number and the choices for its knobs, as cuDNN's own tools write them:
// "eng67_k2=16_k13=0". A plan can be made anew from its name without asking the heuristics.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda/cudnn_descriptor.h"

namespace retort::cuda {

struct CudnnPlanName {
  std::int64_t engine = -1;
  std::vector<std::pair<std::int64_t, std::int64_t>> knobs;  ///< type and choice

  static CudnnPlanName of(const CudnnDescriptor& configuration);
  /// Nothing for what is not the name of a plan.
  static std::optional<CudnnPlanName> parse(const std::string& text);
  std::string text() const;
};

}  // namespace retort::cuda
