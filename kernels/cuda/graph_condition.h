// The kernel that decides about a conditional part of a CUDA graph. The SIMT runner has no such graphs and leaves it
// out.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace retort::cuda {

/// Loads the kernel, which else the first recording would do.
void load_condition_kernel();

/// Sets `condition` to whether *count >= least.
void set_condition(cudaStream_t stream, cudaGraphConditionalHandle condition, const std::int32_t* count, int least);

}  // namespace retort::cuda
