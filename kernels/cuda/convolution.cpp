// Convolutions with what cuDNN is not asked for: the bias, its gradient, and filter gradients in fp32.
#include "kernels/convolution.h"

#include <algorithm>

#include "kernels/cuda/bias.h"
#include "kernels/cuda/convolve.h"
#include "kernels/cuda/convolve_fused.h"
#include "kernels/elementwise.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr std::size_t kAlignment = 256;

std::int64_t output_rows(const Conv2dShape& s) {
  return std::int64_t{s.batch} * s.out_height() * s.out_width();
}
std::int64_t weights(const Conv2dShape& s) {
  return std::int64_t{s.out_channels} * s.kernel_h * s.kernel_w * s.in_channels;
}

/// The filter gradient as the library writes it, if that is not as fp32. It lies at the workspace's beginning.
std::size_t narrow_gradient_bytes(const Conv2dShape& s) {
  if (s.dtype == DType::f32) return 0;
  const std::size_t bytes = static_cast<std::size_t>(weights(s)) * size_of(s.dtype);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

Launch behind(const Launch& at, std::size_t bytes) {
  Launch rest = at;
  rest.workspace = static_cast<char*>(at.workspace) + bytes;
  rest.workspace_bytes = at.workspace_bytes - bytes;
  return rest;
}

}  // namespace

std::size_t conv2d_workspace(const Conv2dShape& s, ConvolutionPass pass, Precision precision) {
  const std::size_t library = convolve_workspace(s, pass, precision);
  if (pass != ConvolutionPass::backward_filter) return library;
  return std::max(narrow_gradient_bytes(s) + library, column_sums_workspace(output_rows(s), s.out_channels));
}

void conv2d_forward(const Launch& at, const Conv2dShape& s, const void* x, const void* weight, const float* bias,
                    void* y) {
  convolve(at, s, ConvolutionPass::forward, x, weight, y);
  if (bias != nullptr) add_bias(at, s.dtype, output_rows(s), s.out_channels, bias, y);
}

std::size_t fused_convolution_workspace(const FusedConvolution& s, Precision precision) {
  if (fuses(s, precision)) return convolve_fused_workspace(s, precision);
  return convolve_workspace(s.conv, ConvolutionPass::forward, precision);
}

void fused_convolution(const Launch& at, const FusedConvolution& s, const void* x, const void* weight, const void* bias,
                       const void* residual, void* y) {
  if (fuses(s, at.precision)) return convolve_fused(at, s, x, weight, bias, residual, y);
  convolve(at, s.conv, ConvolutionPass::forward, x, weight, y);
  finish_convolution(at, s.conv.dtype, output_rows(s.conv), s.conv.out_channels, bias, s.residual ? residual : nullptr,
                     s.relu, y);
}

void conv2d_backward_data(const Launch& at, const Conv2dShape& s, const void* dy, const void* weight, void* dx) {
  convolve(at, s, ConvolutionPass::backward_data, dy, weight, dx);
}

void conv2d_backward_filter(const Launch& at, const Conv2dShape& s, const void* x, const void* dy, float* dweight,
                            float* dbias) {
  if (s.dtype == DType::f32) {
    convolve(at, s, ConvolutionPass::backward_filter, x, dy, dweight);
  } else {
    convolve(behind(at, narrow_gradient_bytes(s)), s, ConvolutionPass::backward_filter, x, dy, at.workspace);
    convert(at, weights(s), s.dtype, at.workspace, DType::f32, dweight);
  }
  if (dbias != nullptr) column_sums(at, s.dtype, output_rows(s), s.out_channels, dy, dbias);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
