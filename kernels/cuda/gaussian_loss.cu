// A warp a row of regression targets, a lane a target.
#include <cmath>

#include "kernels/angle.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/row_softmax.h"
#include "kernels/gaussian_loss.h"
#include "kernels/gaussian_terms.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

struct Arguments {
  RegulationRule rule;
  float alpha;
  int rows, dimensions;
  const float* student;
  const float* teacher;
  const float* targets;
  const std::int32_t* labels;
  const std::int32_t* samples;
  const float* weights;
  const StepState* state;
  LossRows out;
  float* square_error;
  float* dstudent;
};

__global__ void gaussian_kernel(const __grid_constant__ Arguments a) {
  const int i = static_cast<int>(blockIdx.x) * kRowsPerBlock + warp_number();
  if (i >= a.rows) return;
  const GaussianRow<float> row(i, a.dimensions, a.alpha, a.student, a.teacher, a.targets, a.labels);
  float loss = 0;
  float squares = 0;
  float from_teacher = 0;
  float variance = 0;
  for (int d = lane_number(); d < a.dimensions; d += kWarp) {
    const GaussianTerms<float> terms = row.terms(d);
    loss += terms.loss;
    squares += terms.square_error;
    from_teacher += terms.from_teacher;
    variance += row.variance(d);
  }
  const auto dimensions = static_cast<float>(a.dimensions);
  loss = warp_sum(loss) / dimensions;
  squares = warp_sum(squares) / dimensions;
  from_teacher = warp_sum(from_teacher) / dimensions;
  const float deviation = sqrtf(warp_sum(variance) / dimensions);
  const float tau = a.state->confidence_threshold;
  bool participates = true;
  if (a.rule.participation == Participation::regulated) {
    participates = !(deviation < tau) || !(sqrtf(squares) < tau);  // what is NaN takes part
  } else if (a.rule.participation == Participation::random) {
    participates = drawn_at_random(*a.state, a.samples[i]);
  }
  const float weight = a.weights != nullptr ? a.weights[i] : 1.0F;
  if (lane_number() == 0) {
    a.out.loss[i] = weight * loss;
    a.out.confidence[i] = -deviation;
    a.out.correct[i] = 0;
    a.out.participates[i] = participates ? 1 : 0;
    if (a.square_error != nullptr) a.square_error[i] = row.target != nullptr ? squares : from_teacher;
  }
  if (a.dstudent == nullptr) return;
  const float scale = participates ? weight / (dimensions * a.state->divisor) : 0.0F;
  float* dmean = a.dstudent + std::int64_t{2} * i * a.dimensions;
  for (int d = lane_number(); d < a.dimensions; d += kWarp) {
    const GaussianTerms<float> terms = row.terms(d);
    dmean[d] = participates ? scale * terms.to_mean : 0.0F;
    dmean[a.dimensions + d] = participates ? scale * terms.to_log_variance : 0.0F;
  }
}

__global__ void angle_kernel(int rows, const float* outputs, const float* teacher, const float* targets,
                             const std::int32_t* labels, float* degrees) {
  for (std::int64_t i = grid_thread(); i < rows; i += grid_threads()) {
    const float* wanted = wanted_direction(i, teacher, targets, labels);
    degrees[i] = wanted != nullptr ? degrees_between(outputs + 4 * i, wanted) : 0.0F;
  }
}

}  // namespace

void angular_error(const Launch& at, int rows, const float* outputs, const float* teacher, const float* targets,
                   const std::int32_t* labels, float* degrees) {
  if (rows == 0) return;
  constexpr int threads = 256;
  launch(at, "angular_error", &angle_kernel, striding_blocks(rows, threads), threads, 0, rows, outputs, teacher,
         targets, labels, degrees);
}

void gaussian_loss(const Launch& at, const RegulationRule& rule, float alpha, int rows, int dimensions,
                   const float* student, const float* teacher, const float* targets, const std::int32_t* labels,
                   const std::int32_t* samples, const float* weights, const StepState* state, const LossRows& out,
                   float* square_error, float* dstudent) {
  if (rows == 0) return;
  const Arguments arguments{rule,   alpha,   rows,    dimensions, student, teacher,      targets,
                            labels, samples, weights, state,      out,     square_error, dstudent};
  launch(at, "gaussian_loss", &gaussian_kernel, (rows + kRowsPerBlock - 1) / kRowsPerBlock, kRowsPerBlock * kWarp, 0,
         arguments);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
