// The linear maps of Winograd's F(4x4, 3x3), after Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
// arXiv:1509.09308:  Y = A^T [(G g G^T) . (B^T d B)] A,  constructed (Toom-Cook) at 0, a, -a, b, -b and infinity:
//
//         a2b2   0  -a2-b2    0    1  0          1/a2b2                        1  1  1  1  1  0
//          0   -ab2   -b2     a    1  0          c (1  a  a2)                  0  a -a  b -b  0
//   B^T =  0    ab2   -b2    -a    1  0      G = c (1 -a  a2)            A^T = 0 a2 a2 b2 b2  0
//          0   -a2b   -a2     b    1  0          d (1  b  b2)                  0 a3-a3 b3-b3  1
//          0    a2b   -a2    -b    1  0          d (1 -b  b2)
//          0   a2b2    0   -a2-b2  0  1          0  0  1
//
// with a2 for a squared and so on, c = 1 / 2a2(a2-b2), d = 1 / 2b2(b2-a2). Any a and b give the same result but for
// rounding. 5/8 and 3/2, found by trying, err half as much as the usual 1 and 2: five times as much as a direct
// convolution. All their powers above are exact.
//
// Transposing the whole gives the filter gradient:  dg = G^T [(B^T d B) . (A dY A^T)] G.
// A vector of channels is transformed at once.
#pragma once

#include <cstdint>

#include "kernels/cpu/vector.h"

namespace retort::cpu::winograd {

constexpr int kPixels = 4;            ///< of the output that a tile has in each direction
constexpr int kPoints = kPixels + 2;  ///< of the transform in each direction, and pixels of the input below a tile

constexpr float kA = 5.0F / 8;
constexpr float kB = 3.0F / 2;
constexpr float kA2 = kA * kA;
constexpr float kB2 = kB * kB;
constexpr float kScale0 = 1 / (kA2 * kB2);
constexpr float kScaleA = 1 / (2 * kA2 * (kA2 - kB2));
constexpr float kScaleB = 1 / (2 * kB2 * (kB2 - kA2));

/// out = G g
inline __attribute__((always_inline)) void weight_1d(const Vector (&g)[3], Vector (&out)[kPoints]) {
  const Vector even_a = kScaleA * (g[0] + kA2 * g[2]);
  const Vector even_b = kScaleB * (g[0] + kB2 * g[2]);
  out[0] = kScale0 * g[0];
  out[1] = even_a + kScaleA * kA * g[1];
  out[2] = even_a - kScaleA * kA * g[1];
  out[3] = even_b + kScaleB * kB * g[1];
  out[4] = even_b - kScaleB * kB * g[1];
  out[5] = g[2];
}

/// out = G^T m
inline __attribute__((always_inline)) void weight_gradient_1d(const Vector (&m)[kPoints], Vector (&out)[3]) {
  const Vector even_a = kScaleA * (m[1] + m[2]);
  const Vector even_b = kScaleB * (m[3] + m[4]);
  out[0] = kScale0 * m[0] + even_a + even_b;
  out[1] = kScaleA * kA * (m[1] - m[2]) + kScaleB * kB * (m[3] - m[4]);
  out[2] = kA2 * even_a + kB2 * even_b + m[5];
}

/// out = B^T d
inline __attribute__((always_inline)) void input_1d(const Vector (&d)[kPoints], Vector (&out)[kPoints]) {
  const Vector even_a = d[4] - kB2 * d[2];
  const Vector even_b = d[4] - kA2 * d[2];
  const Vector odd_a = d[3] - kB2 * d[1];
  const Vector odd_b = d[3] - kA2 * d[1];
  out[0] = kA2 * kB2 * d[0] + (d[4] - (kA2 + kB2) * d[2]);
  out[1] = even_a + kA * odd_a;
  out[2] = even_a - kA * odd_a;
  out[3] = even_b + kB * odd_b;
  out[4] = even_b - kB * odd_b;
  out[5] = kA2 * kB2 * d[1] + (d[5] - (kA2 + kB2) * d[3]);
}

/// out = A^T m
inline __attribute__((always_inline)) void output_1d(const Vector (&m)[kPoints], Vector (&out)[kPixels]) {
  const Vector even_a = m[1] + m[2];
  const Vector even_b = m[3] + m[4];
  const Vector odd_a = kA * (m[1] - m[2]);
  const Vector odd_b = kB * (m[3] - m[4]);
  out[0] = m[0] + even_a + even_b;
  out[1] = odd_a + odd_b;
  out[2] = kA2 * even_a + kB2 * even_b;
  out[3] = kA2 * odd_a + kB2 * odd_b + m[5];
}

/// out = A dy
inline __attribute__((always_inline)) void output_gradient_1d(const Vector (&dy)[kPixels], Vector (&out)[kPoints]) {
  const Vector even_a = dy[0] + kA2 * dy[2];
  const Vector even_b = dy[0] + kB2 * dy[2];
  const Vector odd_a = dy[1] + kA2 * dy[3];
  const Vector odd_b = dy[1] + kB2 * dy[3];
  out[0] = dy[0];
  out[1] = even_a + kA * odd_a;
  out[2] = even_a - kA * odd_a;
  out[3] = even_b + kB * odd_b;
  out[4] = even_b - kB * odd_b;
  out[5] = dy[3];
}

}  // namespace retort::cpu::winograd
