// The library's plans for convolutions: cuDNN's (cudnn_library.cpp), or those of the emulated device (tests/simt).
// Which one is used is decided in convolve.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/convolution_plan.h"

namespace retort::cuda {

struct LibraryPlan {
  std::string name;
  std::size_t workspace_bytes = 0;
  /// Operands as in convolve().
  std::function<void(const Launch&, const void* a, const void* b, void* c)> launch;
};

/// The one that the library would take. Throws Error(device) where the rules leave none.
LibraryPlan favourite_plan(const ConvolutionProblem& problem, const PlanRules& rules);

/// All that can be had with a workspace in proportion, the favourite first.
std::vector<LibraryPlan> all_plans(const ConvolutionProblem& problem, const PlanRules& rules);

/// The one of this name; nothing where that is no name, the library does not have it, or the rules forbid it.
std::optional<LibraryPlan> plan_by_name(const ConvolutionProblem& problem, const PlanRules& rules,
                                        const std::string& name);

}  // namespace retort::cuda
