// 2-d convolution (cross-correlation, as in every framework), NHWC activations, OHWI weights, square stride and
// padding, no groups, no dilation. Weights and activations have the same dtype (f32 or bf16); accumulation is fp32;
// gradients of weight and bias are f32, but where a library has none of weights.
#pragma once

#include <compare>

#include "kernels/types.h"

namespace retort {

struct Conv2dShape {
  int batch = 0, height = 0, width = 0, in_channels = 0;
  int out_channels = 0, kernel_h = 0, kernel_w = 0;
  int stride = 1, padding = 0;
  DType dtype = DType::f32;

  int out_height() const { return (height + 2 * padding - kernel_h) / stride + 1; }
  int out_width() const { return (width + 2 * padding - kernel_w) / stride + 1; }
  /// Multiply-accumulates of one pass (forward, data gradient or filter gradient alike).
  double macs() const {
    return static_cast<double>(batch) * out_height() * out_width() * out_channels * kernel_h * kernel_w * in_channels;
  }
  auto operator<=>(const Conv2dShape&) const = default;
};

enum class ConvolutionPass : std::uint8_t { forward, backward_data, backward_filter };
constexpr ConvolutionPass convolution_passes[] = {ConvolutionPass::forward, ConvolutionPass::backward_data,
                                                  ConvolutionPass::backward_filter};
constexpr const char* name_of(ConvolutionPass pass) {
  return pass == ConvolutionPass::forward         ? "forward"
         : pass == ConvolutionPass::backward_data ? "data gradient"
                                                  : "filter gradient";
}

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// Bytes of workspace that a pass wants. On a GPU, to ask is to have the pass planned: ask for no other.
  std::size_t conv2d_workspace(const Conv2dShape& shape, ConvolutionPass pass, Precision precision);

  void conv2d_forward(const Launch& launch, const Conv2dShape& shape,
                      const void* x,        // (N, H, W, C)
                      const void* weight,   // (K, R, S, C)
                      const float* bias,    // (K) or null
                      void* y);             // (N, P, Q, K)

  void conv2d_backward_data(const Launch& launch, const Conv2dShape& shape,
                            const void* dy,       // (N, P, Q, K)
                            const void* weight,   // (K, R, S, C)
                            void* dx);            // (N, H, W, C), overwritten

  /// The type of dweight: f32, or that of the activations on a GPU, for cuDNN knows no other.
  DType conv2d_filter_gradient_type(const Conv2dShape& shape);
  void conv2d_backward_filter(const Launch& launch, const Conv2dShape& shape,
                              const void* x,      // (N, H, W, C)
                              const void* dy,     // (N, P, Q, K)
                              void* dweight,      // (K, R, S, C), overwritten
                              float* dbias);      // (K), overwritten, or null
)
// clang-format on
