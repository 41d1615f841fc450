// Softmax of a row whose logits the lanes of a warp share. `each(body)` calls body(logit) for this lane's part.
#pragma once

#include "kernels/cuda/warp.h"

namespace retort::lab {

using namespace retort::RETORT_CUDA_NAMESPACE;

struct WarpSoftmax {
  float top, sum, log_sum, inverse;

  template <typename Each>
  __device__ static WarpSoftmax of(const Each& each, float temperature) {
    WarpSoftmax s{-INFINITY, 0, 0, 1 / temperature};
    each([&](float z) { s.top = z > s.top ? z : s.top; });
    s.top = warp_max(s.top);
    each([&](float z) { s.sum += expf((z - s.top) * s.inverse); });
    s.sum = warp_sum(s.sum);
    s.log_sum = logf(s.sum);
    return s;
  }
  __device__ float log_probability(float z) const { return (z - top) * inverse - log_sum; }
  __device__ float probability(float z) const { return expf((z - top) * inverse) / sum; }
};

}  // namespace retort::lab
