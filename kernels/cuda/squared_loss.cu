// A warp a row of regression targets.
#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/row_softmax.h"
#include "kernels/squared_loss.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

__global__ void squared_error_kernel(RegulationRule rule, int rows, int dimensions, const float* prediction,
                                     const float* target, const std::int32_t* samples, const StepState* state,
                                     LossRows out, float* dprediction) {
  const int i = static_cast<int>(blockIdx.x) * kRowsPerBlock + warp_number();
  if (i >= rows) return;
  const float* p = prediction + std::int64_t{i} * dimensions;
  const float* t = target + std::int64_t{i} * dimensions;
  float square_sum = 0;
  for (int d = lane_number(); d < dimensions; d += kWarp) {
    const float error = p[d] - t[d];
    square_sum += error * error;
  }
  const float loss = warp_sum(square_sum) / static_cast<float>(dimensions);
  const float error = sqrtf(loss);
  bool participates = true;
  if (rule.participation == Participation::regulated) {
    participates = !(error < state->confidence_threshold);  // an error that is NaN takes part
  } else if (rule.participation == Participation::random) {
    participates = drawn_at_random(*state, samples[i]);
  }
  if (lane_number() == 0) {
    out.loss[i] = loss;
    out.confidence[i] = -error;
    out.correct[i] = 0;
    out.participates[i] = participates ? 1 : 0;
  }
  if (dprediction == nullptr) return;
  float* dp = dprediction + std::int64_t{i} * dimensions;
  const float scale = 2.0F / (static_cast<float>(dimensions) * state->divisor);
  for (int d = lane_number(); d < dimensions; d += kWarp) dp[d] = participates ? scale * (p[d] - t[d]) : 0.0F;
}

}  // namespace

void regulated_squared_error(const Launch& at, const RegulationRule& rule, int rows, int dimensions,
                             const float* prediction, const float* target, const std::int32_t* samples,
                             const StepState* state, const LossRows& out, float* dprediction) {
  if (rows == 0) return;
  launch(at, "regulated_squared_error", &squared_error_kernel, (rows + kRowsPerBlock - 1) / kRowsPerBlock,
         kRowsPerBlock * kWarp, 0, rule, rows, dimensions, prediction, target, samples, state, out, dprediction);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
