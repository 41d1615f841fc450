// The product of two matrices, which a library computes: cuBLASLt (matrix_product.cpp), or the CPU backend where
// kernels run on the host (tests/simt).
#pragma once

#include <compare>

#include "kernels/cuda/device.h"
#include "kernels/types.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// Row-major c(m, n) = a(m, k) b(k, n), where a transposed operand is stored as (k, m) or (n, k).
struct MatrixProduct {
  int m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false;
  auto operator<=>(const MatrixProduct&) const = default;
};

std::size_t multiply_workspace();

/// Adds bias(n) to every row of c unless it is null. In tf32 and bf16 mode operands are rounded to tf32.
void multiply(const Launch& launch, const MatrixProduct& product, const float* a, const float* b, const float* bias,
              float* c);

}  // namespace retort::RETORT_CUDA_NAMESPACE
