#include "kernels/gaussian_loss.h"

#include <algorithm>
#include <cmath>

#include "kernels/angle.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/row_softmax.h"
#include "kernels/gaussian_terms.h"

namespace retort::cpu {
namespace {

bool takes_part(const RegulationRule& rule, const StepState& state, std::int32_t sample, float deviation, float error) {
  switch (rule.participation) {
    case Participation::all:
      return true;
    case Participation::regulated:  // what is NaN takes part
      return !(deviation < state.confidence_threshold) || !(error < state.confidence_threshold);
    case Participation::random:
      return drawn_at_random(state, sample);
  }
  return true;
}

}  // namespace

void gaussian_loss(const Launch&, const RegulationRule& rule, float alpha, int rows, int dimensions,
                   const float* student, const float* teacher, const float* targets, const std::int32_t* labels,
                   const std::int32_t* samples, const float* weights, const StepState* state, const LossRows& out,
                   float* square_error, float* dstudent) {
  for_ranges(rows, grain_of(dimensions, 64), [&](auto begin, auto end) {
    for (int i = static_cast<int>(begin); i < end; ++i) {
      const GaussianRow<double> row(i, dimensions, alpha, student, teacher, targets, labels);
      double loss = 0, squares = 0, from_teacher = 0, variance = 0;
      for (int d = 0; d < dimensions; ++d) {
        const GaussianTerms<double> terms = row.terms(d);
        loss += terms.loss;
        squares += terms.square_error;
        from_teacher += terms.from_teacher;
        variance += row.variance(d);
      }
      const double weight = weights != nullptr ? weights[i] : 1.0;
      const auto deviation = static_cast<float>(std::sqrt(variance / dimensions));
      const auto error = static_cast<float>(std::sqrt(squares / dimensions));
      const bool participates = takes_part(rule, *state, samples[i], deviation, error);
      out.loss[i] = static_cast<float>(weight * loss / dimensions);
      out.confidence[i] = -deviation;
      out.correct[i] = 0;
      out.participates[i] = participates ? 1 : 0;
      if (square_error != nullptr) {
        square_error[i] = static_cast<float>((row.target != nullptr ? squares : from_teacher) / dimensions);
      }
      if (dstudent == nullptr) continue;

      float* dmean = dstudent + std::int64_t{2} * i * dimensions;
      if (!participates) {
        std::fill_n(dmean, 2 * dimensions, 0.0F);
        continue;
      }
      const double scale = weight / (static_cast<double>(dimensions) * state->divisor);
      for (int d = 0; d < dimensions; ++d) {
        const GaussianTerms<double> terms = row.terms(d);
        dmean[d] = static_cast<float>(scale * terms.to_mean);
        dmean[dimensions + d] = static_cast<float>(scale * terms.to_log_variance);
      }
    }
  });
}

void angular_error(const Launch&, int rows, const float* outputs, const float* teacher, const float* targets,
                   const std::int32_t* labels, float* degrees) {
  for (int i = 0; i < rows; ++i) {
    const float* wanted = wanted_direction(i, teacher, targets, labels);
    degrees[i] = wanted != nullptr ? degrees_between(outputs + std::int64_t{4} * i, wanted) : 0.0F;
  }
}

}  // namespace retort::cpu
