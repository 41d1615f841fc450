// Convolutions with what cuDNN is not asked for: the bias and its gradient.
#include "kernels/convolution.h"

#include <algorithm>

#include "kernels/cuda/bias.h"
#include "kernels/cuda/convolve.h"
#include "kernels/cuda/convolve_fused.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

std::int64_t output_rows(const Conv2dShape& s) {
  return std::int64_t{s.batch} * s.out_height() * s.out_width();
}

}  // namespace

std::size_t conv2d_workspace(const Conv2dShape& s, ConvolutionPass pass, Precision precision) {
  const std::size_t library = convolve_workspace(s, pass, precision);
  if (pass != ConvolutionPass::backward_filter) return library;
  return std::max(library, column_sums_workspace(output_rows(s), s.out_channels));
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

DType conv2d_filter_gradient_type(const Conv2dShape& s) {
  return s.dtype;
}

void conv2d_backward_filter(const Launch& at, const Conv2dShape& s, const void* x, const void* dy, void* dweight,
                            float* dbias) {
  convolve(at, s, ConvolutionPass::backward_filter, x, dy, dweight);
  if (dbias != nullptr) column_sums(at, s.dtype, output_rows(s), s.out_channels, dy, dbias);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
