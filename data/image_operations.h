// The operations on images that augmentation policies choose from, with the ranges of AutoAugment (arXiv:1805.09501)
// and the definitions of PIL, which it is written with. TST (arXiv:2212.05422) learns to imitate them.
//
// Geometric ones sample bilinearly around the image's centre, with zeros from outside [choice: AutoAugment's code takes
// the nearest pixel, shears around the upper left corner and fills with grey].
#pragma once

#include <array>
#include <string>

namespace retort {

/// Those with a strength come first, the colours' before the geometric ones.
enum class Operation {
  brightness,
  color,
  contrast,
  sharpness,
  posterize,
  solarize,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  equalize,
  invert,
  cutout
};

constexpr int kOperations = 14;
constexpr int kOperationsWithStrength = 11;
constexpr int kColourOperations = 6;

struct OperationInfo {
  const char* name;   ///< "shear-x"
  bool two_ways;      ///< a negative strength is the opposite
  const char* range;  ///< what strengths 0 to 1 mean
};

const OperationInfo& info_of(Operation operation);

/// Of an image (H, W, C) of numbers in [0, 1]; C is 1 or 3. `strength` in [-1, 1], below 0 only where it goes two ways.
/// Throws Error(usage) for operations without a strength, which the kernels have (kernels/fixed_operations.h).
void apply_operation(Operation operation, float strength, int height, int width, int channels, const float* x,
                     float* y);

/// The affine map of a geometric operation, as kernels/affine_sample.h takes it.
std::array<float, 6> affine_of(Operation operation, float strength, int height, int width);

}  // namespace retort
