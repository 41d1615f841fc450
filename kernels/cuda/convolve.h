// The part of a convolution that a library computes: cuDNN (convolve.cpp), or the CPU backend where kernels run on the
// host (tests/simt).
#pragma once

#include "kernels/convolution.h"
#include "kernels/cuda/device.h"

namespace retort::RETORT_CUDA_NAMESPACE {

std::size_t convolve_workspace(const Conv2dShape& shape, ConvolutionPass pass, Precision precision);

/// forward: a = x, b = weight, c = y. backward_data: a = dy, b = weight, c = dx. backward_filter: a = x, b = dy,
/// c = dweight, in the dtype of the activations: cuDNN has no convolution of bf16 data with a filter gradient in fp32.
/// c is overwritten. Operands are aligned to 16 bytes.
void convolve(const Launch& launch, const Conv2dShape& shape, ConvolutionPass pass, const void* a, const void* b,
              void* c);

}  // namespace retort::RETORT_CUDA_NAMESPACE
