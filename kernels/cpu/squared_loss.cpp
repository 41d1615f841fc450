#include "kernels/squared_loss.h"

#include <algorithm>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/row_softmax.h"

namespace retort::cpu {

void regulated_squared_error(const Launch&, const RegulationRule& rule, int rows, int dimensions,
                             const float* prediction, const float* target, const std::int32_t* samples,
                             const StepState* state, const LossRows& out, float* dprediction) {
  for_ranges(rows, grain_of(dimensions), [&](auto begin, auto end) {
    for (int i = static_cast<int>(begin); i < end; ++i) {
      const float* p = prediction + static_cast<std::int64_t>(i) * dimensions;
      const float* t = target + static_cast<std::int64_t>(i) * dimensions;
      double square_sum = 0;
      for (int d = 0; d < dimensions; ++d) {
        const double error = static_cast<double>(p[d]) - t[d];
        square_sum += error * error;
      }
      const double loss = square_sum / dimensions;
      const float error = static_cast<float>(std::sqrt(loss));
      bool participates = true;
      if (rule.participation == Participation::regulated) {
        participates = !(error < state->confidence_threshold);  // an error that is NaN takes part
      } else if (rule.participation == Participation::random) {
        participates = drawn_at_random(*state, samples[i]);
      }
      out.loss[i] = static_cast<float>(loss);
      out.confidence[i] = -error;
      out.correct[i] = 0;
      out.participates[i] = participates ? 1 : 0;
      if (dprediction == nullptr) continue;

      float* dp = dprediction + static_cast<std::int64_t>(i) * dimensions;
      const double scale = 2.0 / (static_cast<double>(dimensions) * state->divisor);
      for (int d = 0; d < dimensions; ++d) {
        dp[d] = participates ? static_cast<float>(scale * (static_cast<double>(p[d]) - t[d])) : 0.0F;
      }
    }
  });
}

}  // namespace retort::cpu
