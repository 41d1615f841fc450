// Tensor cores: a warp multiplies matrices whose elements its lanes share. Which lane has which is fixed by the PTX
// manual, "Matrix Fragments for mma.m16n8k16" (tests/simt/tensor_core.h writes it down).
#pragma once

#include <cstdint>

#include "kernels/cuda/device.h"

#if defined(RETORT_SIMT)
#include "tests/simt/tensor_core.h"
#endif

namespace retort::lab {

/// Four matrices of 8 x 8 bf16 from shared memory. Lane l names row l % 8 of matrix l / 8, sixteen bytes that are
/// aligned, and gets of each matrix what a fragment wants of it: row l / 4, columns 2 (l % 4) and the one behind.
__device__ __forceinline__ void load_matrices(std::uint32_t (&out)[4], const void* row) {
#if defined(RETORT_SIMT)
  ::simt::load_matrices(out, row);
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(row)))
               : "memory");
#endif
}

/// sums (16 x 8, fp32) += left (16 x 16, bf16) * right (16 x 8, bf16)
__device__ __forceinline__ void multiply_matrices(float (&sums)[4], const std::uint32_t (&left)[4],
                                                  std::uint32_t right0, std::uint32_t right1) {
#if defined(RETORT_SIMT)
  ::simt::multiply_matrices(sums, left, right0, right1);
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right0), "r"(right1));
#endif
}

}  // namespace retort::lab
