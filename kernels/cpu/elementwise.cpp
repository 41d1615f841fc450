#include "kernels/elementwise.h"

#include "kernels/cpu/convert.h"
#include "kernels/cpu/parallel.h"
#include "kernels/philox.h"

namespace retort::cpu {
namespace {

constexpr std::int64_t kGrain = 32768;

template <typename From, typename To>
void convert_all(std::int64_t n, const From* from, To* to) {
  for_ranges(n, kGrain, [=](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) to[i] = narrow<To>(widen(from[i]));
  });
}

/// One row. A draw decides over four neighbours; draws come in blocks, which vectorise.
template <typename T>
void drop(const T* x, T* y, int features, float p, std::uint32_t layer, std::int32_t sample, const StepState& state) {
  constexpr int kDraws = 64;
  std::uint32_t bits[4][kDraws];
  const std::uint32_t seed = state.seed, epoch = state.epoch;
  const float keep = 1.0F - p;
  for (int at = 0; at < features; at += 4 * kDraws) {
    const std::uint32_t first = (layer << 24) + static_cast<std::uint32_t>(at / 4);
#pragma omp simd
    for (int d = 0; d < kDraws; ++d) {
      const Philox4 words = philox(seed, Purpose::dropout, static_cast<std::uint64_t>(sample), epoch,
                                   first + static_cast<std::uint32_t>(d));
      bits[0][d] = words.v[0];
      bits[1][d] = words.v[1];
      bits[2][d] = words.v[2];
      bits[3][d] = words.v[3];
    }
    for (int j = at; j < std::min(features, at + 4 * kDraws); ++j) {
      const bool kept = to_uniform(bits[j % 4][(j - at) / 4]) >= p;
      y[j] = kept ? narrow<T>(widen(x[j]) / keep) : T{};
    }
  }
}

}  // namespace

void relu_forward(const Launch&, DType dtype, std::int64_t n, const void* x, void* y) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    for_ranges(n, kGrain, [in = static_cast<const T*>(x), out = static_cast<T*>(y)](auto begin, auto end) {
#pragma omp simd
      for (std::int64_t i = begin; i < end; ++i) {
        const float value = widen(in[i]);
        out[i] = narrow<T>(value < 0 ? 0.0F : value);  // NaN stays
      }
    });
  });
}

void relu_backward(const Launch&, DType dtype, std::int64_t n, const void* dy, const void* y, void* dx) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    for_ranges(n, kGrain,
               [g = static_cast<const T*>(dy), out = static_cast<const T*>(y), result = static_cast<T*>(dx)](auto begin,
                                                                                                             auto end) {
#pragma omp simd
                 for (std::int64_t i = begin; i < end; ++i) {
                   const float value = widen(g[i]);
                   result[i] = narrow<T>(widen(out[i]) > 0 ? value : 0.0F);
                 }
               });
  });
}

void add(const Launch&, DType dtype, std::int64_t n, const void* a, const void* b, void* sum) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    for_ranges(n, kGrain,
               [left = static_cast<const T*>(a), right = static_cast<const T*>(b), out = static_cast<T*>(sum)](
                   auto begin, auto end) {
#pragma omp simd
                 for (std::int64_t i = begin; i < end; ++i) out[i] = narrow<T>(widen(left[i]) + widen(right[i]));
               });
  });
}

void convert(const Launch&, std::int64_t n, DType from_type, const void* from, DType to_type, void* to) {
  with_type(from_type, [&](auto source) {
    with_type(to_type, [&](auto target) {
      convert_all(n, static_cast<const decltype(source)*>(from), static_cast<decltype(target)*>(to));
    });
  });
}

void widen_all(const Launch& at, const WidenedRange* ranges, int count) {
  for (const WidenedRange* range = ranges; range < ranges + count; ++range) {
    convert(at, range->n, DType::bf16, range->from, DType::f32, range->to);
  }
}

void dropout(const Launch&, DType dtype, int rows, int features, float p, std::uint32_t layer,
             const std::int32_t* samples, const StepState* state, const void* x, void* y) {
  RETORT_CHECK(p >= 0 && p < 1, "dropout probability ", p, " is outside [0, 1)");
  RETORT_CHECK(layer < 256 && features < (1 << 26), "dropout layer ", layer, " of ", features, " features");
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    for_ranges(rows, grain_of(features, 4096), [&](auto begin, auto end) {
      for (auto row = begin; row < end; ++row) {
        drop(static_cast<const T*>(x) + row * features, static_cast<T*>(y) + row * features, features, p, layer,
             samples[row], *state);
      }
    });
  });
}

}  // namespace retort::cpu
