// The rate of a large matrix product in bf16, which is the ceiling of everything that multiplies on tensor cores.
#pragma once

namespace retort::bench {

/// Multiplications and additions a second of cuBLASLt's fastest of several algorithms. Only where CUDA is built.
double cublaslt_bf16_flops();

}  // namespace retort::bench
