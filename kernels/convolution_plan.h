// Which of the library's algorithms computes a convolution on a GPU, and with which settings: a plan, which has a name.
// Plans are decided here for a process; and `retort info --plans` and tests ask what cuDNN would do on a device that
// need not be there.
#pragma once

#include <string>
#include <vector>

#include "kernels/convolution.h"
#include "kernels/error.h"

namespace retort {

/// What a plan is made for. Where activations are bf16, the precision is too.
struct ConvolutionProblem {
  Conv2dShape shape;
  ConvolutionPass pass = ConvolutionPass::forward;
  Precision precision = Precision::fp32;
  auto operator<=>(const ConvolutionProblem&) const = default;
};

/// "3x3 convolution of ...", for messages.
inline std::string describe(const ConvolutionProblem& problem) {
  const Conv2dShape& s = problem.shape;
  const char* type = s.dtype == DType::bf16 ? "bf16" : problem.precision == Precision::fp32 ? "fp32" : "tf32";
  return text(s.kernel_h, "x", s.kernel_w, " convolution of (", s.batch, ", ", s.height, ", ", s.width, ", ",
              s.in_channels, ") to ", s.out_channels, " channels, stride ", s.stride, ", padding ", s.padding, ", ",
              type, ", ", name_of(problem.pass));
}

/// What plans may be like.
struct PlanRules {
  bool deterministic = true;  ///< the same bits each time
  bool operator==(const PlanRules&) const = default;
};

/// A plan that was decided on.
struct PlanChoice {
  ConvolutionProblem problem;
  std::string plan;              ///< "eng67_k2=16_k13=0": cuDNN's number of the algorithm, and its settings
  double seconds = 0;            ///< of one launch; 0: not timed
  double favourite_seconds = 0;  ///< of the plan that stands first in the heuristics' order; 0: not timed
};

struct PlansInUse {
  std::vector<PlanChoice> choices;
  int tuned = 0;              ///< of them, decided by timing since begin_plans()
  double tuning_seconds = 0;  ///< what that took
  int unusable = 0;           ///< decided plans that could not be had
};

struct ConvolutionPlanReport {
  std::string plan;          ///< its name, as in PlanChoice
  std::int64_t engine = -1;  ///< cuDNN's number of the algorithm
  std::string notes;         ///< what cuDNN says of it: "tensor cores", "Winograd" and the like
  int candidates = 0;        ///< configurations that cuDNN's heuristics offer
  int allowed = 0;           ///< of them, those that the rules and the precision allow
  std::size_t workspace_bytes = 0;
};

namespace cuda {

/// Forgets all plans in use: no recording with a convolution in it may be replayed after this. A problem is computed by
/// the plan decided on here; where there is none, or it can not be had, by the heuristics' favourite. With `binding`
/// a plan that cannot be had is an Error(device), when its problem first comes up.
void begin_plans(const PlanRules& rules, const std::vector<PlanChoice>& decided, bool binding);

/// While on, a problem without a plan is tuned when it first comes up (conv2d_workspace): all that the rules allow are
/// timed, on device memory that is released before the call returns. Where that much memory is not to be had, nothing
/// is timed. Not while anything is recorded.
void tune_plans(bool on);

PlansInUse plans_in_use();

/// What cuDNN would do on a device, by its favourite or, with a name, by that plan. `device` is a description in
/// cuDNN's JSON, empty for the device in use. Throws Error(device) where the plan cannot be had.
ConvolutionPlanReport plan_convolution(const ConvolutionProblem& problem, const PlanRules& rules,
                                       const std::string& device, const std::string& plan = {});
/// Every plan that could be chosen there, in the heuristics' order, without the counts.
std::vector<ConvolutionPlanReport> plans_offered(const ConvolutionProblem& problem, const PlanRules& rules,
                                                 const std::string& device);

/// The device in use as cuDNN describes it. Throws Error(device).
std::string describe_device();

}  // namespace cuda
}  // namespace retort
