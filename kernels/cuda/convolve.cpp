// cuDNN computes convolutions. Plans are made once and kept.
#include "kernels/cuda/convolve.h"

#include <cuda_runtime_api.h>

#include <map>
#include <mutex>
#include <tuple>

#include "kernels/cuda/cudnn_in_use.h"

namespace retort::cuda {
namespace {

/// Both live as long as the process: destroying them after the driver's own end would fail.
cudnnHandle_t handle() {
  static cudnnHandle_t made = [] {
    cudnnHandle_t h = nullptr;
    check_cudnn(cudnnCreate(&h), "cudnnCreate");
    return h;
  }();
  return made;
}
const PlanDevice& device() {
  static const auto* made = new PlanDevice(PlanDevice::in_use());
  return *made;
}

const CudnnPlan& plan_of(const Conv2dShape& shape, ConvolutionPass pass, Precision precision) {
  static std::mutex mutex;
  static auto* const plans = new std::map<std::tuple<Conv2dShape, ConvolutionPass, Precision>, CudnnPlan>;
  const std::lock_guard lock(mutex);
  if (shape.dtype == DType::bf16) precision = Precision::bf16;
  const auto key = std::tuple(shape, pass, precision);
  const auto known = plans->find(key);
  if (known != plans->end()) return known->second;
  return plans->emplace(key, CudnnPlan(shape, pass, precision, device())).first->second;
}

}  // namespace

cudnnHandle_t cudnn_handle() {
  return handle();
}
const PlanDevice& plan_device() {
  return device();
}

std::size_t convolve_workspace(const Conv2dShape& shape, ConvolutionPass pass, Precision precision) {
  handle();  // it takes memory of its own, which has to be gone before anybody asks how much there is
  return plan_of(shape, pass, precision).workspace_bytes();
}

void convolve(const Launch& at, const Conv2dShape& shape, ConvolutionPass pass, const void* a, const void* b, void* c) {
  const CudnnPlan& plan = plan_of(shape, pass, at.precision);
  RETORT_CHECK(plan.workspace_bytes() <= at.workspace_bytes, describe(shape, pass, at.precision), " wants ",
               plan.workspace_bytes(), " bytes of workspace, there are ", at.workspace_bytes);
  check_cudnn(cudnnSetStream(handle(), static_cast<cudaStream_t>(at.stream)), "cudnnSetStream");
  plan.execute(handle(), a, b, c, at.workspace);
}

ConvolutionPlanReport plan_convolution(const Conv2dShape& shape, ConvolutionPass pass, Precision precision,
                                       const std::string& described) {
  return CudnnPlan(shape, pass, precision, described.empty() ? device() : PlanDevice::described(described)).report();
}

std::string describe_device() {
  return device().json();
}

}  // namespace retort::cuda
