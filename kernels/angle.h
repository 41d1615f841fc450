// The angle between two directions in space.
#pragma once

#include <cmath>

#include "kernels/types.h"

namespace retort {

/// Degrees between (pitch, yaw) pairs in radians. By the cross product beside the inner one: the arc cosine alone would
/// lose the digits of small angles.
RETORT_HOST_DEVICE inline float degrees_between(const float* a, const float* b) {
  const float u[3] = {std::cos(a[0]) * std::sin(a[1]), std::sin(a[0]), std::cos(a[0]) * std::cos(a[1])};
  const float v[3] = {std::cos(b[0]) * std::sin(b[1]), std::sin(b[0]), std::cos(b[0]) * std::cos(b[1])};
  const float x = u[1] * v[2] - u[2] * v[1], y = u[2] * v[0] - u[0] * v[2], z = u[0] * v[1] - u[1] * v[0];
  const float inner = u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  return std::atan2(std::sqrt(x * x + y * y + z * z), inner) * 57.29577951308232F;
}

}  // namespace retort
