// An execution plan of cuDNN for one convolution: an engine, its settings, and how much workspace they want.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

/// An engine with its settings, ready to be run.
class CudnnPlan {
 public:
  /// Nothing where the device does not support it.
  static std::optional<CudnnPlan> of(const ConvolutionProblem& problem, const CudnnDescriptor& configuration,
                                     const PlanDevice& device);
  /// The plan of this name, made without the heuristics; nothing where cuDNN has none, or not by these rules.
  static std::optional<CudnnPlan> named(const ConvolutionProblem& problem, const PlanRules& rules,
                                        const PlanDevice& device, const std::string& name);

  const std::string& name() const { return name_; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }
  /// All but the counts.
  ConvolutionPlanReport report() const;

  cudnnBackendDescriptor_t raw() const { return plan_.raw(); }
  /// Operands as in convolve().
  void execute(cudnnHandle_t handle, const void* a, const void* b, void* c, void* workspace) const;

 private:
  CudnnPlan(ConvolutionPass pass, CudnnDescriptor configuration, CudnnDescriptor plan);

  ConvolutionPass pass_;
  CudnnDescriptor configuration_, plan_;
  std::string name_;
  std::size_t workspace_bytes_;
};

/// What cuDNN's heuristics offer for a convolution, the most promising first.
class CudnnOffer {
 public:
  CudnnOffer(const ConvolutionProblem& problem, const PlanRules& rules, const PlanDevice& device);
  /// For a graph that is more than the convolution in it.
  CudnnOffer(CudnnDescriptor graph, const ConvolutionProblem& around, const PlanRules& rules, const PlanDevice& device);

  /// The first whose workspace is in proportion to its operands; if none's is, the one with the smallest.
  std::optional<CudnnPlan> first() const;
  /// The same. Throws Error(device) where there is none at all.
  CudnnPlan favourite() const;
  /// All in proportion, each once; at least the favourite, which comes first.
  std::vector<CudnnPlan> all() const;

  struct Count {
    int offered = 0, allowed = 0;
  };
  /// How many there are, and how many of them rules and precision allow.
  Count count() const;

 private:
  /// visit(configuration) until it returns false. The heuristics' second list is asked for only if the first does not
  /// suffice: either costs tens of milliseconds.
  template <typename Visitor>
  void visit(const Visitor& visitor) const;
  bool allows(const CudnnDescriptor& configuration) const;
  /// The configuration's plan, if it is allowed and the device supports it.
  std::optional<CudnnPlan> plan(const CudnnDescriptor& configuration) const;

  CudnnDescriptor graph_;
  ConvolutionProblem problem_;
  PlanRules rules_;
  PlanDevice device_;
};

/// Packed, with the channels last. cuDNN names dimensions in the order N, C, H, W (and K, C, R, S) whatever the layout.
/// One that is inside of a graph never reaches memory, and is fp32.
enum class CudnnPlace : std::uint8_t { memory, inside };
CudnnDescriptor channels_last(std::int64_t name, DType dtype, int n, int h, int w, int c,
                              CudnnPlace place = CudnnPlace::memory);
CudnnDescriptor cross_correlation(const Conv2dShape& shape);

}  // namespace retort::cuda
