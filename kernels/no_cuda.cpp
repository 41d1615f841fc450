// Answers for the CUDA backend in builds without it, so that everything links and says why it cannot run.
#include "kernels/affine_sample.h"
#include "kernels/augmentation.h"
#include "kernels/batch_norm.h"
#include "kernels/blend.h"
#include "kernels/colour_filter.h"
#include "kernels/commit.h"
#include "kernels/contrary_loss.h"
#include "kernels/convolution.h"
#include "kernels/convolution_plan.h"
#include "kernels/device_info.h"
#include "kernels/distillation_loss.h"
#include "kernels/elementwise.h"
#include "kernels/error.h"
#include "kernels/fixed_operations.h"
#include "kernels/fused_convolution_plan.h"
#include "kernels/gaussian_loss.h"
#include "kernels/graph.h"
#include "kernels/linear.h"
#include "kernels/memory.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"
#include "kernels/queue.h"
#include "kernels/recall.h"
#include "kernels/regulation.h"
#include "kernels/squared_loss.h"
#include "kernels/step_feed.h"
#include "kernels/stream.h"
#include "kernels/timing.h"
#include "kernels/transform_draws.h"

#define ABSENT(result, name, ...)                          \
  result name(__VA_ARGS__) {                               \
    fail(ErrorKind::device, "built without CUDA (" #name ")"); \
  }

namespace retort::cuda {
namespace {

using L = const Launch&;
using Ints = const std::int32_t*;
using Floats = const float*;
using Bytes = std::size_t;
using Count = std::int64_t;

}  // namespace

// clang-format off
ABSENT(void*, allocate, Bytes)
void deallocate(void*) noexcept {}
ABSENT(Bytes, available_memory)
ABSENT(void, copy_bytes, L, void*, const void*, Bytes)
ABSENT(void, fill_zero, L, void*, Bytes)
ABSENT(void, synchronize, L)

ABSENT(Bytes, conv2d_workspace, const Conv2dShape&, ConvolutionPass, Precision)
ABSENT(void, conv2d_forward, L, const Conv2dShape&, const void*, const void*, Floats, void*)
ABSENT(void, conv2d_backward_data, L, const Conv2dShape&, const void*, const void*, void*)
ABSENT(DType, conv2d_filter_gradient_type, const Conv2dShape&)
ABSENT(void, conv2d_backward_filter, L, const Conv2dShape&, const void*, const void*, void*, float*)

ABSENT(Bytes, fused_convolution_workspace, const FusedConvolution&, Precision)
ABSENT(void, fused_convolution, L, const FusedConvolution&, const void*, const void*, const void*, const void*,
       void*)
ABSENT(std::optional<ConvolutionPlanReport>, plan_fused_convolution, const FusedConvolution&, Precision,
       const std::string&)

ABSENT(void, begin_plans, const PlanRules&, const std::vector<PlanChoice>&, bool)
ABSENT(void, tune_plans, bool)
ABSENT(PlansInUse, plans_in_use)
ABSENT(ConvolutionPlanReport, plan_convolution, const ConvolutionProblem&, const PlanRules&, const std::string&,
       const std::string&)
ABSENT(std::vector<ConvolutionPlanReport>, plans_offered, const ConvolutionProblem&, const PlanRules&,
       const std::string&)
ABSENT(std::string, describe_device)
bool available() noexcept {
  return false;
}
ABSENT(DeviceInfo, device_info)

ABSENT(void*, make_mark, L)
ABSENT(void, wait_for, void*)
ABSENT(double, seconds_between, void*, void*)
void release_mark(void*) noexcept {}

ABSENT(void*, make_stream)
void release_stream(void*) noexcept {}
ABSENT(void, order_after, L, L)
ABSENT(void*, allocate_shared, Bytes)
void deallocate_shared(void*) noexcept {}

bool has_recordings() {
  return false;
}
bool has_conditions() {
  return false;
}
ABSENT(void, begin_recording, L)
ABSENT(void*, end_recording, L)
void abandon_recording(L) noexcept {}
ABSENT(void*, begin_condition, L, Ints, int)
ABSENT(void, end_condition, void*)
ABSENT(void, replay, L, void*)
ABSENT(Bytes, recorded_launches, const void*)
void release_recording(void*) noexcept {}

ABSENT(void, recall_participation, L, int, Ints, const std::uint8_t*, std::int32_t*, StepState*)
ABSENT(void, begin_step, L, const StepFeed&, int, std::int32_t*, StepState*)
ABSENT(void, begin_queued_step, L, int, StepState*, StepState*)

ABSENT(Bytes, linear_workspace, const LinearShape&)
ABSENT(void, linear_forward, L, const LinearShape&, Floats, Floats, Floats, float*)
ABSENT(void, linear_backward_data, L, const LinearShape&, Floats, Floats, float*)
ABSENT(void, linear_backward_weight, L, const LinearShape&, Floats, Floats, float*, float*)

ABSENT(Bytes, batch_norm_workspace, const BatchNormShape&)
ABSENT(void, batch_norm_forward_training, L, const BatchNormShape&, const BatchNormForward&)
ABSENT(void, batch_norm_forward_evaluation, L, const BatchNormShape&, const BatchNormForward&)
ABSENT(void, batch_norm_backward_training, L, const BatchNormShape&, const BatchNormBackward&)
ABSENT(void, batch_norm_backward_evaluation, L, const BatchNormShape&, const BatchNormBackward&)

ABSENT(Bytes, pool2d_workspace, const Pool2dShape&)
ABSENT(void, max_pool2d_forward, L, const Pool2dShape&, const void*, void*)
ABSENT(void, max_pool2d_backward, L, const Pool2dShape&, const void*, const void*, void*)
ABSENT(void, avg_pool2d_forward, L, const Pool2dShape&, const void*, void*)
ABSENT(void, avg_pool2d_backward, L, const Pool2dShape&, const void*, void*)
ABSENT(void, global_avg_pool_forward, L, int, int, int, DType, const void*, float*)
ABSENT(void, global_avg_pool_backward, L, int, int, int, DType, Floats, void*)

ABSENT(void, relu_forward, L, DType, Count, const void*, void*)
ABSENT(void, relu_backward, L, DType, Count, const void*, const void*, void*)
ABSENT(void, add, L, DType, Count, const void*, const void*, void*)
ABSENT(void, convert, L, Count, DType, const void*, DType, void*)
ABSENT(void, widen_all, L, const WidenedRange*, int)
ABSENT(void, dropout, L, DType, int, int, float, std::uint32_t, Ints, const StepState*, const void*, void*)

ABSENT(void, regulated_cross_entropy, L, const RegulationRule&, int, int, float, Floats, Ints, Ints, const StepState*,
       const LossRows&, float*)
ABSENT(void, divide_by_participants, L, int, int, Ints, const StepState*, float*)
ABSENT(void, distillation_loss, L, const RegulationRule&, const DistillationWeights&, int, int, Floats, Floats, Ints,
       Ints, Floats, const StepState*, const LossRows&, float*, float*, float*)
ABSENT(void, regulated_squared_error, L, const RegulationRule&, int, int, Floats, Floats, Ints, const StepState*,
       const LossRows&, float*)
ABSENT(void, gaussian_loss, L, const RegulationRule&, float, int, int, Floats, Floats, Floats, Ints, Ints, Floats,
       const StepState*, const LossRows&, float*, float*)
ABSENT(void, affine_sample_forward, L, int, int, int, int, Floats, Floats, float*)
ABSENT(void, affine_sample_backward, L, int, int, int, int, Floats, Floats, Floats, float*)
ABSENT(void, blend_forward, L, const BlendShape&, const BlendedVersions&, Floats, Floats, void*)
ABSENT(void, blend_backward, L, const BlendShape&, const BlendedVersions&, Floats, Floats, const void*, float*)
ABSENT(void, colour_filter_forward, L, const ColourFilterShape&, Floats, Floats, Floats, float*)
ABSENT(Bytes, colour_filter_workspace, const ColourFilterShape&)
ABSENT(void, colour_filter_backward, L, const ColourFilterShape&, Floats, Floats, Floats, Floats, float*, float*)
ABSENT(void, contrary_loss, L, int, int, Floats, Ints, float, float*, float*)
ABSENT(void, equalize, L, int, int, int, int, Floats, float*)
ABSENT(void, cutout, L, int, int, int, int, int, const StepState*, Floats, float*)
ABSENT(void, invert, L, Count, Floats, float*)
ABSENT(void, angular_error, L, int, Floats, Floats, Floats, Ints, float*)
ABSENT(void, transform_draws_forward, L, const TransformDraws&, int, Floats, Floats, const StepState*, float*, float*)
ABSENT(void, transform_draws_backward, L, const TransformDraws&, int, Floats, Floats, const StepState*, Floats, Floats,
       float*, float*)
ABSENT(void, encoder_features_forward, L, int, int, int, float, Floats, Floats, const StepState*, float*)
ABSENT(void, encoder_features_backward, L, int, int, Floats, float*, float*)

ABSENT(Bytes, gradient_norm_workspace, Count)
ABSENT(void, gradient_norm, L, Count, DType, const void*, bool, StepState*)
ABSENT(void, judge_step, L, int, Floats, StepState*)
ABSENT(void, sgd_update, L, const ParameterRange&, bool, const StepState*)
ABSENT(void, adamw_update, L, const ParameterRange&, float, float, float, const StepState*)
ABSENT(void, commit_step, L, const StepOutcome&, StepState*)

ABSENT(void, gather_augment, L, const AugmentShape&, const std::uint8_t*, Ints, const BatchColumns&, const StepState*,
       void*)
ABSENT(void, gather_floats, L, int, int, Floats, Ints, float*)

ABSENT(void, queue_push, L, int, Ints, Ints, const StepState*, std::int32_t*, std::int32_t*)
ABSENT(void, queue_pop, L, int, std::int32_t*, std::int32_t*, std::int32_t*)
// clang-format on

}  // namespace retort::cuda
