// Which of several plans for a convolution is the fastest, by the clock.
#pragma once

#include <optional>
#include <vector>

#include "kernels/cuda/plan_library.h"

namespace retort::cuda {

struct TunedPlan {
  LibraryPlan plan;
  double seconds = 0;            ///< of one launch
  double favourite_seconds = 0;  ///< of the first of the plans that runs
};

/// The first plan, unless another is faster by more than the clock's noise; nothing if none runs. A plan has to run
/// both launched and recorded. Takes device memory for operands and workspace, and gives it back. Throws Error(memory).
std::optional<TunedPlan> fastest_plan(const ConvolutionProblem& problem, std::vector<LibraryPlan> plans);

}  // namespace retort::cuda
