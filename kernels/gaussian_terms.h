// The losses of Gaussians (gaussian_loss.h) one dimension at a time, for both backends.
#pragma once

#include <cmath>

#include "kernels/regulation.h"

namespace retort {

RETORT_HOST_DEVICE inline float exp_in(float x) {
  return expf(x);
}
RETORT_HOST_DEVICE inline double exp_in(double x) {
  return exp(x);
}

/// What one dimension adds to the row's loss and to the gradient of its sum.
template <typename Real>
struct GaussianTerms {
  Real loss = 0, to_mean = 0, to_log_variance = 0;
  Real square_error = 0;  ///< (t - m)^2; 0 without a target
  Real from_teacher = 0;  ///< (m_t - m)^2; 0 without a teacher
};

/// A row of outputs and what it is compared with.
template <typename Real>
struct GaussianRow {
  int dimensions;
  const float* student;  // means, then log-variances
  const float* teacher;  // the same, or null
  const float* target;   // or null
  Real by_teacher, by_target;

  RETORT_HOST_DEVICE GaussianRow(int i, int dimensions, float alpha, const float* students, const float* teachers,
                                 const float* targets, const std::int32_t* labels)
      : dimensions(dimensions),
        student(students + std::int64_t{2} * i * dimensions),
        teacher(teachers != nullptr ? teachers + std::int64_t{2} * i * dimensions : nullptr),
        target(labels == nullptr || labels[i] != no_label ? targets + std::int64_t{1} * i * dimensions : nullptr),
        by_teacher(teachers != nullptr ? static_cast<Real>(alpha) : Real{0}),
        by_target(target != nullptr ? 1 - by_teacher : Real{0}) {}

  RETORT_HOST_DEVICE Real variance(int d) const { return exp_in(static_cast<Real>(student[dimensions + d])); }

  /// A part of weight zero is left out, not multiplied by zero: it may be infinite.
  RETORT_HOST_DEVICE GaussianTerms<Real> terms(int d) const {
    constexpr auto half = static_cast<Real>(0.5);
    const Real mean = student[d], v = student[dimensions + d], precision = exp_in(-v);
    GaussianTerms<Real> out;
    if (target != nullptr) {
      const Real error = target[d] - mean;
      out.square_error = error * error;
      if (by_target != 0) {
        out.loss += by_target * half * (v + error * error * precision);
        out.to_mean -= by_target * error * precision;
        out.to_log_variance += by_target * half * (1 - error * error * precision);
      }
    }
    if (teacher != nullptr) {
      const Real distance = teacher[d] - mean;
      out.from_teacher = distance * distance;
      if (by_teacher != 0) {
        const Real v_t = teacher[dimensions + d], spread = (exp_in(v_t) + distance * distance) * precision;
        out.loss += by_teacher * half * (v - v_t - 1 + spread);
        out.to_mean -= by_teacher * distance * precision;
        out.to_log_variance += by_teacher * half * (1 - spread);
      }
    }
    return out;
  }
};

/// The direction that row i should have: its target's, a mixture's teacher's, or null where there is neither.
RETORT_HOST_DEVICE inline const float* wanted_direction(std::int64_t i, const float* teacher, const float* targets,
                                                        const std::int32_t* labels) {
  if (labels == nullptr || labels[i] != no_label) return targets + 2 * i;
  return teacher != nullptr ? teacher + 4 * i : nullptr;
}

}  // namespace retort
