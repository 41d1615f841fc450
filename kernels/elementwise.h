// Elementwise kernels: ReLU, sums, conversion, dropout. dtype is f32 or bf16; n counts elements.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

struct WidenedRange {
  const bfloat16* from = nullptr;
  float* to = nullptr;
  std::int64_t n = 0;
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  void relu_forward(const Launch& launch, DType dtype, std::int64_t n, const void* x, void* y);
  /// dx = dy where y > 0, else 0. dx may be dy.
  void relu_backward(const Launch& launch, DType dtype, std::int64_t n, const void* dy, const void* y, void* dx);
  /// sum = a + b. sum may be a or b.
  void add(const Launch& launch, DType dtype, std::int64_t n, const void* a, const void* b, void* sum);
  void convert(const Launch& launch, std::int64_t n, DType from_type, const void* from, DType to_type, void* to);
  /// Converts many ranges by one kernel (or two, for every hundred and twenty-eight). `ranges` is the host's memory.
  void widen_all(const Launch& launch, const WidenedRange* ranges, int count);
  /// y = x / (1 - p) where kept, else 0; element j of row i is kept by Philox(seed, dropout; sample, epoch, draw) with
  /// draw = layer 2^24 + j / 4, word j % 4, uniform >= p. The backward pass is the same function on the gradient.
  /// features per row < 2^26, layer < 256.
  void dropout(const Launch& launch, DType dtype, int rows, int features, float p, std::uint32_t layer,
               const std::int32_t* samples,   // (rows)
               const StepState* state, const void* x, void* y);
)
// clang-format on
