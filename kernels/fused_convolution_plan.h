// What cuDNN would do with a fused convolution on a certain device, as convolution_plan.h asks it of a plain one.
#pragma once

#include <optional>

#include "kernels/convolution_plan.h"
#include "kernels/fused_convolution.h"

namespace retort::cuda {

/// The plan that the backend would use for all of it, or nothing: then the convolution is computed first, and a kernel
/// does the rest. `device` is a device's description in cuDNN's JSON, empty for the device in use.
std::optional<ConvolutionPlanReport> plan_fused_convolution(const FusedConvolution& shape, Precision precision,
                                                            const std::string& device);

}  // namespace retort::cuda
