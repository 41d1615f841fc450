// What the CPU backend computes in place of cuDNN.
#pragma once

#include <functional>

#include "kernels/convolution.h"
#include "kernels/cuda/device.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// Operands as in convolve(). It writes all over the workspace. `then` is part of the launch.
void submit_convolution(
    const Launch& at, const Conv2dShape& shape, ConvolutionPass pass, std::size_t workspace, const void* a,
    const void* b, void* c, const std::function<void()>& then = [] {});

}  // namespace retort::RETORT_CUDA_NAMESPACE
