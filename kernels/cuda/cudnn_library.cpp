// cuDNN's plans for the device in use, and for described ones.
#include <cuda_runtime_api.h>

#include "kernels/cuda/cudnn_in_use.h"
#include "kernels/cuda/plan_library.h"

namespace retort::cuda {

/// Both live as long as the process: destroying them after the driver's own end would fail.
cudnnHandle_t cudnn_handle() {
  static cudnnHandle_t made = [] {
    cudnnHandle_t h = nullptr;
    check_cudnn(cudnnCreate(&h), "cudnnCreate");
    return h;
  }();
  return made;
}
const PlanDevice& plan_device() {
  static const auto* made = new PlanDevice(PlanDevice::in_use());
  return *made;
}

namespace {

LibraryPlan launchable(const CudnnPlan& plan) {
  cudnn_handle();  // it takes memory of its own, which has to be gone before anybody asks how much there is
  const auto launch = [plan](const Launch& at, const void* a, const void* b, void* c) {
    check_cudnn(cudnnSetStream(cudnn_handle(), static_cast<cudaStream_t>(at.stream)), "cudnnSetStream");
    plan.execute(cudnn_handle(), a, b, c, at.workspace);
  };
  return {plan.name(), plan.workspace_bytes(), launch};
}

PlanDevice device_of(const std::string& described) {
  return described.empty() ? plan_device() : PlanDevice::described(described);
}

}  // namespace

LibraryPlan favourite_plan(const ConvolutionProblem& problem, const PlanRules& rules) {
  return launchable(CudnnOffer(problem, rules, plan_device()).favourite());
}

std::vector<LibraryPlan> all_plans(const ConvolutionProblem& problem, const PlanRules& rules) {
  std::vector<LibraryPlan> all;
  for (const CudnnPlan& plan : CudnnOffer(problem, rules, plan_device()).all()) all.push_back(launchable(plan));
  return all;
}

std::optional<LibraryPlan> plan_by_name(const ConvolutionProblem& problem, const PlanRules& rules,
                                        const std::string& name) {
  const auto plan = CudnnPlan::named(problem, rules, plan_device(), name);
  if (!plan) return std::nullopt;
  return launchable(*plan);
}

ConvolutionPlanReport plan_convolution(const ConvolutionProblem& problem, const PlanRules& rules,
                                       const std::string& described, const std::string& name) {
  const PlanDevice on = device_of(described);
  const CudnnOffer offer(problem, rules, on);
  const auto named = name.empty() ? std::nullopt : CudnnPlan::named(problem, rules, on, name);
  RETORT_CHECK_AS(ErrorKind::device, name.empty() || named, "cuDNN has no plan '", printable(name), "' for a ",
                  describe(problem));
  ConvolutionPlanReport report = (named ? *named : offer.favourite()).report();
  const CudnnOffer::Count count = offer.count();
  report.candidates = count.offered;
  report.allowed = count.allowed;
  return report;
}

std::vector<ConvolutionPlanReport> plans_offered(const ConvolutionProblem& problem, const PlanRules& rules,
                                                 const std::string& described) {
  std::vector<ConvolutionPlanReport> reports;
  for (const CudnnPlan& plan : CudnnOffer(problem, rules, device_of(described)).all()) reports.push_back(plan.report());
  return reports;
}

std::string describe_device() {
  return plan_device().json();
}

}  // namespace retort::cuda
