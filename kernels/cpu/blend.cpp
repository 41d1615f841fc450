#include "kernels/blend.h"

#include "kernels/cpu/parallel.h"

namespace retort::cpu {
namespace {

template <typename T>
void forward(const BlendShape& shape, const BlendedVersions& versions, const float* x, const float* share, T* y) {
  const std::int64_t numbers = shape.numbers;
  for_ranges(shape.rows, grain_of(numbers), [&](auto begin, auto end) {
    for (auto n = begin; n < end; ++n) {
      for (std::int64_t j = 0; j < numbers; ++j) {
        const std::int64_t i = n * numbers + j;
        float sum = x[i];
        for (int k = 0; k < versions.count; ++k) sum += share[k * shape.rows + n] * (versions.version[k][i] - x[i]);
        const auto c = static_cast<int>(j % shape.channels);
        y[i] = static_cast<T>(sum * shape.map.scale[c] + shape.map.shift[c]);
      }
    }
  });
}

template <typename T>
void backward(const BlendShape& shape, const BlendedVersions& versions, const float* x, const float* share, const T* dy,
              float* dshare) {
  const std::int64_t numbers = shape.numbers;
  for_ranges(shape.rows, grain_of(numbers), [&](auto begin, auto end) {
    for (auto n = begin; n < end; ++n) {
      for (int k = 0; k < versions.count; ++k) {
        const float own = share[k * shape.rows + n];
        double sum = 0;
        for (std::int64_t j = 0; j < numbers; ++j) {
          const std::int64_t i = n * numbers + j;
          const float g = static_cast<float>(dy[i]) * shape.map.scale[j % shape.channels];
          sum += static_cast<double>(g) * (versions.version[k][i] - x[i]);
          if (versions.dversion[k] != nullptr) versions.dversion[k][i] = own * g;
        }
        dshare[k * shape.rows + n] = static_cast<float>(sum);
      }
    }
  });
}

}  // namespace

void blend_forward(const Launch&, const BlendShape& shape, const BlendedVersions& versions, const float* x,
                   const float* share, void* y) {
  if (shape.dtype == DType::bf16) return forward(shape, versions, x, share, static_cast<bfloat16*>(y));
  forward(shape, versions, x, share, static_cast<float*>(y));
}

void blend_backward(const Launch&, const BlendShape& shape, const BlendedVersions& versions, const float* x,
                    const float* share, const void* dy, float* dshare) {
  if (shape.dtype == DType::bf16) return backward(shape, versions, x, share, static_cast<const bfloat16*>(dy), dshare);
  backward(shape, versions, x, share, static_cast<const float*>(dy), dshare);
}

}  // namespace retort::cpu
