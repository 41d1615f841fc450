// The linear maps of Winograd's F(2x2, 3x3), after Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
// arXiv:1509.09308:  Y = A^T [(G g G^T) . (B^T d B)] A  with
//
//         1  0 -1  0           1    0    0
//   B^T = 0  1  1  0       G = 1/2  1/2  1/2    A^T = 1  1  1  0
//         0 -1  1  0           1/2 -1/2  1/2          0  1 -1 -1
//         0  1  0 -1           0    0    1
//
// Transposing the whole gives the filter gradient:  dg = G^T [(B^T d B) . (A dY A^T)] G.
// Sixteen channels are transformed at once.
#pragma once

#include <cstdint>

#include "kernels/cpu/vector16.h"

namespace retort::cpu::winograd {

/// out = G g
inline __attribute__((always_inline)) void weight_1d(const Vector16& g0, const Vector16& g1, const Vector16& g2,
                                                     Vector16 (&out)[4]) {
  const Vector16 ends = 0.5F * (g0 + g2);
  const Vector16 middle = 0.5F * g1;
  out[0] = g0;
  out[1] = ends + middle;
  out[2] = ends - middle;
  out[3] = g2;
}

/// out = G^T m
inline __attribute__((always_inline)) void weight_gradient_1d(const Vector16& m0, const Vector16& m1,
                                                              const Vector16& m2, const Vector16& m3,
                                                              Vector16 (&out)[3]) {
  const Vector16 sum = 0.5F * (m1 + m2);
  out[0] = m0 + sum;
  out[1] = 0.5F * (m1 - m2);
  out[2] = sum + m3;
}

/// out = B^T d
inline __attribute__((always_inline)) void input_1d(const Vector16& d0, const Vector16& d1, const Vector16& d2,
                                                    const Vector16& d3, Vector16 (&out)[4]) {
  out[0] = d0 - d2;
  out[1] = d1 + d2;
  out[2] = d2 - d1;
  out[3] = d1 - d3;
}

/// out = A dy
inline __attribute__((always_inline)) void output_gradient_1d(const Vector16& y0, const Vector16& y1,
                                                              Vector16 (&out)[4]) {
  out[0] = y0;
  out[1] = y0 + y1;
  out[2] = y0 - y1;
  out[3] = -y1;
}

}  // namespace retort::cpu::winograd
