// Winograd's F(4x4, 3x3) for f32 convolutions: 36 multiplications where the definition has 144. The sums differ from a
// direct convolution's in rounding only, which is about five times as large (winograd_transform.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/fused_convolution.h"

namespace retort::cpu::winograd {

/// f32, 3x3, stride 1, padding 1, channels in blocks of 16.
bool supports(const Conv2dShape& shape);

enum class Use : std::uint8_t { never, where_faster, wherever_possible };
/// What convolutions do from now on. At first it is where_faster, or never if the environment has RETORT_WINOGRAD=0,
/// for comparisons. Not to be changed between asking for a workspace and using it.
void set_use(Use use);
/// Whether any shape is computed here: part of what a run has to repeat to get the same bits.
bool in_use();
/// Whether a convolution of this shape is to be computed here: a fixed rule, so that results repeat.
bool chosen(const Conv2dShape& shape);

/// Bytes that any of the three passes needs at the present number of threads.
std::size_t workspace(const Conv2dShape& shape);

// As the functions of kernels/convolution.h. All but the last give the same bits for any number of threads.
void forward(const Launch& launch, const Conv2dShape& shape, const float* x, const float* weight, const float* bias,
             float* y);
void fused(const Launch& launch, const FusedConvolution& shape, const float* x, const float* weight, const float* bias,
           const float* residual, float* y);
void backward_data(const Launch& launch, const Conv2dShape& shape, const float* dy, const float* weight, float* dx);
void backward_filter(const Launch& launch, const Conv2dShape& shape, const float* x, const float* dy, float* dweight,
                     float* dbias);

}  // namespace retort::cpu::winograd
