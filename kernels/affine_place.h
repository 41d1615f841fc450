// Where an output pixel of affine_sample looks in its input, and what it sees there, for both backends.
#pragma once

#include <cmath>

#include "kernels/types.h"

namespace retort {

/// An image (H, W, C) that is 0 outside of its edges.
struct EdgedImage {
  int height, width, channels;
  const float* pixels;

  RETORT_HOST_DEVICE float at(int row, int column, int c) const {
    if (row < 0 || row >= height || column < 0 || column >= width) return 0;
    return pixels[(std::int64_t{row} * width + column) * channels + c];
  }
};

/// The four input pixels around where an output pixel looks.
template <typename Real>
struct AffinePlace {
  Real x, y;         ///< of the output, from -1 to 1
  int row, column;   ///< of the first of the four
  Real down, right;  ///< how far below and to the right of it

  RETORT_HOST_DEVICE AffinePlace(const float* theta, int i, int j, int height, int width)
      : x(static_cast<Real>(2 * j + 1) / static_cast<Real>(width) - 1),
        y(static_cast<Real>(2 * i + 1) / static_cast<Real>(height) - 1) {
    split(theta, width, &column, &right);
    split(theta + 3, height, &row, &down);
  }

  /// Channel c between the four.
  RETORT_HOST_DEVICE Real value(const EdgedImage& image, int c) const {
    const Real above = image.at(row, column, c) * (1 - right) + image.at(row, column + 1, c) * right;
    const Real below = image.at(row + 1, column, c) * (1 - right) + image.at(row + 1, column + 1, c) * right;
    return above * (1 - down) + below * down;
  }
  /// How fast that changes along x' and y', the coordinates of the input from -1 to 1.
  RETORT_HOST_DEVICE void slopes(const EdgedImage& image, int c, Real* along_x, Real* along_y) const {
    const Real a = image.at(row, column, c), b = image.at(row, column + 1, c);
    const Real d = image.at(row + 1, column, c), e = image.at(row + 1, column + 1, c);
    *along_x = ((b - a) * (1 - down) + (e - d) * down) * static_cast<Real>(image.width) / 2;
    *along_y = ((d - a) * (1 - right) + (e - b) * right) * static_cast<Real>(image.height) / 2;
  }

 private:
  /// Beyond -2 and side + 1 all four are outside, wherever it is, and an integer need not hold it. What is NaN stays in
  /// the fraction, so that it shows in the result.
  RETORT_HOST_DEVICE void split(const float* theta, int side, int* first, Real* fraction) const {
    Real at = ((theta[0] * x + theta[1] * y + theta[2] + 1) * static_cast<Real>(side) - 1) / 2;
    if (at < -2) at = -2;
    if (at > static_cast<Real>(side + 1)) at = static_cast<Real>(side + 1);
    const Real whole = std::floor(at);
    *first = whole >= -2 ? static_cast<int>(whole) : -2;
    *fraction = at - whole;
  }
};

}  // namespace retort
