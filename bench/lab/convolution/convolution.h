// Forward convolution as a product of matrices that is never written down ("implicit GEMM"), in numbered versions: each
// is one idea further than the one before (README.md).
//
//     y[n, p, q, k] = sum over r, s, c of x[n, p stride + r - padding, q stride + s - padding, c] filter[k, r, s, c]
//
// The product has a row for each output pixel (n, p, q), a column for each output channel k, and adds up `terms` (r, s,
// c), in the order in which a filter lies in memory.
#pragma once

#include "kernels/convolution.h"

namespace retort::lab {

/// Tensors of fewer than 2^31 elements, all of the shape's type.
struct Convolution {
  Conv2dShape shape;
  int out_height = 0, out_width = 0;  ///< of the shape, which device code cannot ask
  const void* x = nullptr;            // (N, H, W, C)
  const void* filter = nullptr;       // (K, R, S, C)
  void* y = nullptr;                  // (N, P, Q, K), written

  RETORT_HOST_DEVICE int pixels() const { return shape.batch * out_height * out_width; }
  RETORT_HOST_DEVICE int terms() const { return shape.kernel_h * shape.kernel_w * shape.in_channels; }
};

inline Convolution convolution_of(const Conv2dShape& shape, const void* x, const void* filter, void* y) {
  return {shape, shape.out_height(), shape.out_width(), x, filter, y};
}

inline double operations(const Convolution& problem) {
  return 2 * problem.shape.macs();
}

/// How many of `size` positions any window reads.
inline int positions_read(int size, int windows, int kernel, int stride, int padding) {
  int read = 0;
  for (int i = 0; i < size; ++i) {
    bool any = false;
    for (int w = 0; w < windows; ++w) any = any || (i >= w * stride - padding && i < w * stride - padding + kernel);
    read += any ? 1 : 0;
  }
  return read;
}

/// The least that has to be moved: each input pixel that is used and each filter read, each output written, once.
inline double least_bytes(const Convolution& problem) {
  const Conv2dShape& s = problem.shape;
  const double rows = positions_read(s.height, problem.out_height, s.kernel_h, s.stride, s.padding);
  const double columns = positions_read(s.width, problem.out_width, s.kernel_w, s.stride, s.padding);
  const double elements = s.batch * rows * columns * s.in_channels + 1.0 * s.out_channels * problem.terms() +
                          1.0 * problem.pixels() * s.out_channels;
  return elements * static_cast<double>(size_of(s.dtype));
}

struct ConvolutionVersion {
  const char* name;
  const char* idea;
  void (*run)(const Launch& launch, const Convolution& problem);
  DType dtype;
  int in_channels_multiple;   ///< input channels have to be a multiple of this
  int out_channels_multiple;  ///< and output channels of this
};

void convolution_v1(const Launch& launch, const Convolution& problem);
void convolution_v2(const Launch& launch, const Convolution& problem);
void convolution_v3(const Launch& launch, const Convolution& problem);
void convolution_v4(const Launch& launch, const Convolution& problem);
void convolution_v5(const Launch& launch, const Convolution& problem);
void convolution_v6(const Launch& launch, const Convolution& problem);

constexpr ConvolutionVersion convolution_versions[] = {
    {"v1", "a thread an output", &convolution_v1, DType::f32, 1, 1},
    {"v2", "tiles in shared memory", &convolution_v2, DType::f32, 1, 1},
    {"v3", "tiles in registers", &convolution_v3, DType::f32, 1, 1},
    {"v4", "16 bytes, no conflicts", &convolution_v4, DType::f32, 4, 1},
    {"v5", "tensor cores", &convolution_v5, DType::bf16, 8, 4},
    {"v6", "copies run ahead", &convolution_v6, DType::bf16, 8, 4},
};

inline bool takes(const ConvolutionVersion& version, const Conv2dShape& shape) {
  return shape.dtype == version.dtype && shape.in_channels % version.in_channels_multiple == 0 &&
         shape.out_channels % version.out_channels_multiple == 0;
}

}  // namespace retort::lab
