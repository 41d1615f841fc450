// An execution plan of cuDNN for a graph of several operations: a convolution, and what a frozen network does next.
#pragma once

#include <optional>

#include "kernels/cuda/cudnn_plan.h"
#include "kernels/fused_convolution.h"

namespace retort::cuda {

class CudnnFusedPlan {
 public:
  /// Chosen as CudnnPlan's is. Nothing where cuDNN has none for the whole.
  static std::optional<CudnnFusedPlan> find(const FusedConvolution& shape, Precision precision,
                                            const PlanDevice& device);

  ConvolutionPlanReport report() const { return plan_.report(); }
  std::size_t workspace_bytes() const { return plan_.workspace_bytes(); }

  /// Operands as in convolve_fused().
  void execute(cudnnHandle_t handle, const void* x, const void* weight, const void* bias, const void* residual, void* y,
               void* workspace) const;

 private:
  CudnnFusedPlan(bool residual, CudnnPlan plan) : residual_(residual), plan_(std::move(plan)) {}

  bool residual_;
  CudnnPlan plan_;
};

}  // namespace retort::cuda
