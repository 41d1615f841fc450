// What convolutions and linear layers do beside their products: a bias for each channel, and its gradient.
#pragma once

#include "kernels/cuda/device.h"
#include "kernels/types.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// y(rows, C) += bias(C) in every row. y has dtype f32 or bf16.
void add_bias(const Launch& launch, DType dtype, std::int64_t rows, int channels, const float* bias, void* y);

/// y = relu?(y + bias + residual). bias (C) and residual (rows, C), or null, in the dtype of y.
void finish_convolution(const Launch& launch, DType dtype, std::int64_t rows, int channels, const void* bias,
                        const void* residual, bool relu, void* y);

/// Bytes of workspace that column_sums wants.
std::size_t column_sums_workspace(std::int64_t rows, int channels);

/// sums(C) = the sum of x(rows, C) over its rows, in two levels of float and always in the same order.
void column_sums(const Launch& launch, DType dtype, std::int64_t rows, int channels, const void* x, float* sums);

}  // namespace retort::RETORT_CUDA_NAMESPACE
