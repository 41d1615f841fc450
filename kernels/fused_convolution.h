// A convolution with what follows it in a frozen network, where batch norm is folded into weights and bias:
//
//     y = relu?( conv(x, weight) + bias + residual )
//
// Forward only. Layouts are those of conv2d_forward; all operands have the dtype of the convolution, the bias too, as
// the libraries want it. Sums are taken in fp32; a backend may round before the bias is added.
#pragma once

#include "kernels/convolution.h"

namespace retort {

struct FusedConvolution {
  Conv2dShape conv;
  bool residual = false;
  bool relu = false;
  auto operator<=>(const FusedConvolution&) const = default;
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// Bytes of workspace.
  std::size_t fused_convolution_workspace(const FusedConvolution& shape, Precision precision);

  void fused_convolution(const Launch& launch, const FusedConvolution& shape,
                         const void* x,         // (N, H, W, C)
                         const void* weight,    // (K, R, S, C)
                         const void* bias,      // (K)
                         const void* residual,  // (N, P, Q, K), not y; null without residual
                         void* y);              // (N, P, Q, K)
)
// clang-format on
