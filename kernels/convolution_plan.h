// What cuDNN would do with a convolution on a certain device: asked by `retort info --plans` and by tests, on machines
// that need not have that device.
#pragma once

#include <string>

#include "kernels/convolution.h"

namespace retort {

struct ConvolutionPlanReport {
  std::int64_t engine = -1;  ///< cuDNN's number of the algorithm
  std::string notes;         ///< what cuDNN says of it: "tensor cores", "Winograd" and the like
  int candidates = 0;        ///< configurations that cuDNN's heuristics offer
  int allowed = 0;           ///< of them, those that are deterministic and as precise as the mode wants
  std::size_t workspace_bytes = 0;
};

namespace cuda {

/// The plan that the backend would use. `device` is a device's description in cuDNN's JSON, empty for the device in
/// use. Throws Error(device) where no plan can be had.
ConvolutionPlanReport plan_convolution(const Conv2dShape& shape, ConvolutionPass pass, Precision precision,
                                       const std::string& device);

/// The device in use as cuDNN describes it. Throws Error(device).
std::string describe_device();

}  // namespace cuda
}  // namespace retort
