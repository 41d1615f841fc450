// The library's own fused convolutions, where it has any: cuDNN (convolve_fused.cpp), or a stand-in where kernels run
// on the host (tests/simt).
#pragma once

#include "kernels/cuda/device.h"
#include "kernels/fused_convolution.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// Whether the library computes all of it in one pass. The other two functions are for such shapes only.
bool fuses(const FusedConvolution& shape, Precision precision);

std::size_t convolve_fused_workspace(const FusedConvolution& shape, Precision precision);

/// Operands as in fused_convolution(), aligned to 16 bytes.
void convolve_fused(const Launch& launch, const FusedConvolution& shape, const void* x, const void* weight,
                    const void* bias, const void* residual, void* y);

}  // namespace retort::RETORT_CUDA_NAMESPACE
