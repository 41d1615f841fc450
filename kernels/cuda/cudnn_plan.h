// An execution plan of cuDNN for one convolution: an engine, its settings, and how much workspace they want.
#pragma once

#include <optional>
#include <string>

#include "kernels/convolution_plan.h"
#include "kernels/cuda/cudnn_descriptor.h"

namespace retort::cuda {

/// Where a plan is to run: the device in use, or one that is only described, which needs no driver.
class PlanDevice {
 public:
  static PlanDevice in_use();
  static PlanDevice described(const std::string& json);

  std::string json() const;
  const CudnnDescriptor& descriptor() const { return descriptor_; }

 private:
  explicit PlanDevice(CudnnDescriptor descriptor) : descriptor_(std::move(descriptor)) {}
  CudnnDescriptor descriptor_;
};

/// The first deterministic plan in the order of cuDNN's heuristics that computes as the precision wants and whose
/// workspace is in proportion to its operands; if none's is, the one with the smallest.
class CudnnPlan {
 public:
  CudnnPlan(const Conv2dShape& shape, ConvolutionPass pass, Precision precision, const PlanDevice& device);

  const ConvolutionPlanReport& report() const { return report_; }
  std::size_t workspace_bytes() const { return report_.workspace_bytes; }

  /// Operands as in convolve().
  void execute(cudnnHandle_t handle, const void* a, const void* b, void* c, void* workspace) const;

 private:
  ConvolutionPass pass_;
  CudnnDescriptor plan_;
  ConvolutionPlanReport report_;
};

/// For graphs that are more than a convolution: CudnnPlan's choice among the plans of a graph around one of this shape,
/// and a report of it. Nothing where there is none.
std::optional<CudnnDescriptor> choose_plan(const CudnnDescriptor& graph, const Conv2dShape& shape, Precision precision,
                                           const PlanDevice& device, ConvolutionPlanReport& report);

CudnnDescriptor cross_correlation(const Conv2dShape& shape);

/// "3x3 convolution of ...", for messages.
std::string describe(const Conv2dShape& shape, ConvolutionPass pass, Precision precision);

}  // namespace retort::cuda
