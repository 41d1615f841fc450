// Fused convolutions by cuDNN. Plans are made once and kept, also the knowledge that there is none.
#include "kernels/cuda/convolve_fused.h"

#include <map>
#include <mutex>
#include <tuple>

#include "kernels/cuda/cudnn_fused_plan.h"
#include "kernels/cuda/cudnn_in_use.h"
#include "kernels/fused_convolution_plan.h"

namespace retort::cuda {
namespace {

const std::optional<CudnnFusedPlan>& plan_of(const FusedConvolution& shape, Precision precision) {
  static std::mutex mutex;
  static auto* const plans = new std::map<std::tuple<FusedConvolution, Precision>, std::optional<CudnnFusedPlan>>;
  const std::lock_guard lock(mutex);
  if (shape.conv.dtype == DType::bf16) precision = Precision::bf16;
  const auto key = std::tuple(shape, precision);
  const auto known = plans->find(key);
  if (known != plans->end()) return known->second;
  cudnn_handle();  // it takes memory of its own, which has to be gone before anybody asks how much there is
  return plans->emplace(key, CudnnFusedPlan::find(shape, precision, plan_device())).first->second;
}

}  // namespace

bool fuses(const FusedConvolution& shape, Precision precision) {
  return plan_of(shape, precision).has_value();
}

std::size_t convolve_fused_workspace(const FusedConvolution& shape, Precision precision) {
  return plan_of(shape, precision).value().workspace_bytes();
}

void convolve_fused(const Launch& at, const FusedConvolution& shape, const void* x, const void* weight,
                    const void* bias, const void* residual, void* y) {
  const CudnnFusedPlan& plan = plan_of(shape, at.precision).value();
  RETORT_CHECK(plan.workspace_bytes() <= at.workspace_bytes, "a fused ",
               describe(ConvolutionProblem{shape.conv, ConvolutionPass::forward, at.precision}), " wants ",
               plan.workspace_bytes(), " bytes of workspace, there are ", at.workspace_bytes);
  check_cudnn(cudnnSetStream(cudnn_handle(), static_cast<cudaStream_t>(at.stream)), "cudnnSetStream");
  plan.execute(cudnn_handle(), x, weight, bias, residual, y, at.workspace);
}

std::optional<ConvolutionPlanReport> plan_fused_convolution(const FusedConvolution& shape, Precision precision,
                                                            const std::string& described) {
  const auto plan =
      CudnnFusedPlan::find(shape, precision, described.empty() ? plan_device() : PlanDevice::described(described));
  if (!plan) return std::nullopt;
  return plan->report();
}

}  // namespace retort::cuda
