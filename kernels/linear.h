// Fully connected layer, fp32: y = x W^T + b. Activations are row-major (batch, features).
#pragma once

#include "kernels/types.h"

namespace retort {

struct LinearShape {
  int batch = 0, in_features = 0, out_features = 0;
  double macs() const { return static_cast<double>(batch) * in_features * out_features; }
  bool operator==(const LinearShape&) const = default;
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  std::size_t linear_workspace(const LinearShape& shape);

  void linear_forward(const Launch& launch, const LinearShape& shape,
                      const float* x,       // (N, I)
                      const float* weight,  // (O, I)
                      const float* bias,    // (O) or null
                      float* y);            // (N, O)

  void linear_backward_data(const Launch& launch, const LinearShape& shape,
                            const float* dy,      // (N, O)
                            const float* weight,  // (O, I)
                            float* dx);           // (N, I), overwritten

  void linear_backward_weight(const Launch& launch, const LinearShape& shape,
                              const float* x,    // (N, I)
                              const float* dy,   // (N, O)
                              float* dweight,    // (O, I), overwritten
                              float* dbias);     // (O), overwritten, or null
)
// clang-format on
