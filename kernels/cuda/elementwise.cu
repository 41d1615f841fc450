// Elementwise kernels: bandwidth is all there is to win, so threads move packs of 16 bytes.
#include "kernels/cuda/floats.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pack.h"
#include "kernels/elementwise.h"
#include "kernels/philox.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

struct Relu {
  __device__ float operator()(float x) const { return x < 0 ? 0.0F : x; }  // NaN stays
};
struct ReluGradient {
  __device__ float operator()(float dy, float y) const { return y <= 0 ? 0.0F : dy; }
};
struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};

/// to = function(from...), kCount elements at a time as far as they go, the rest one by one.
template <typename Function, int kCount, typename T, typename... Sources>
__global__ void map_kernel(std::int64_t n, T* to, const Sources*... from) {
  const Function function;
  for (std::int64_t i = grid_thread(); i < n / kCount; i += grid_threads()) {
    Pack<T, kCount> out;
    const auto apply = [&](const auto&... packs) {
      for (int j = 0; j < kCount; ++j) out.v[j] = narrow<T>(function(widen(packs.v[j])...));
    };
    apply(load_pack<kCount>(from + i * kCount)...);
    store_pack(to + i * kCount, out);
  }
  for (std::int64_t i = n / kCount * kCount + grid_thread(); i < n; i += grid_threads()) {
    to[i] = narrow<T>(function(widen(from[i])...));
  }
}

template <typename Function, typename T, typename... Sources>
void map(const Launch& at, const char* name, std::int64_t n, T* to, const Sources*... from) {
  if (n == 0) return;
  with_pack<T>(kWhole<T>, wide(to, from...), [&](auto count) {
    launch(at, name, &map_kernel<Function, count(), T, Sources...>,
           striding_blocks((n + count() - 1) / count(), kThreads), kThreads, 0, n, to, from...);
  });
}

template <typename From, typename To>
__global__ void convert_kernel(std::int64_t n, const From* from, To* to) {
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) to[i] = narrow<To>(widen(from[i]));
}

/// As many as fit into a kernel's parameters, of which there are 4 KiB.
struct WidenedRanges {
  static constexpr int kMost = 128;
  WidenedRange at[kMost];
};

/// Range blockIdx.y, kCount elements at a time as far as they go.
template <int kCount>
__global__ void widen_kernel(const __grid_constant__ WidenedRanges ranges) {
  const WidenedRange range = ranges.at[blockIdx.y];
  for (std::int64_t i = grid_thread(); i < range.n / kCount; i += grid_threads()) {
    Floats<kCount>::load(range.from + i * kCount).store(range.to + i * kCount);
  }
  for (std::int64_t i = range.n / kCount * kCount + grid_thread(); i < range.n; i += grid_threads()) {
    range.to[i] = widen(range.from[i]);
  }
}

/// A thread a draw, which decides over four neighbours of a row.
template <typename T>
__global__ void dropout_kernel(int rows, int features, float p, std::uint32_t layer, const std::int32_t* samples,
                               const StepState* state, const T* x, T* y) {
  const int draws = (features + 3) / 4;
  const float keep = 1.0F - p;
  for (std::int64_t i = grid_thread(); i < std::int64_t{rows} * draws; i += grid_threads()) {
    const auto row = static_cast<int>(i / draws);
    const auto draw = static_cast<int>(i % draws);
    const Philox4 words = philox(state->seed, Purpose::dropout, static_cast<std::uint64_t>(samples[row]), state->epoch,
                                 (layer << 24) + static_cast<std::uint32_t>(draw));
    for (int k = 0; k < 4 && draw * 4 + k < features; ++k) {
      const std::int64_t at = std::int64_t{row} * features + draw * 4 + k;
      y[at] = to_uniform(words.v[k]) >= p ? narrow<T>(widen(x[at]) / keep) : T{};
    }
  }
}

}  // namespace

void relu_forward(const Launch& at, DType dtype, std::int64_t n, const void* x, void* y) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    map<Relu>(at, "relu_forward", n, static_cast<T*>(y), static_cast<const T*>(x));
  });
}

void relu_backward(const Launch& at, DType dtype, std::int64_t n, const void* dy, const void* y, void* dx) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    map<ReluGradient>(at, "relu_backward", n, static_cast<T*>(dx), static_cast<const T*>(dy), static_cast<const T*>(y));
  });
}

void add(const Launch& at, DType dtype, std::int64_t n, const void* a, const void* b, void* sum) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    map<Sum>(at, "add", n, static_cast<T*>(sum), static_cast<const T*>(a), static_cast<const T*>(b));
  });
}

void convert(const Launch& at, std::int64_t n, DType from_type, const void* from, DType to_type, void* to) {
  if (n == 0) return;
  with_type(from_type, [&](auto source) {
    with_type(to_type, [&](auto target) {
      using From = decltype(source);
      using To = decltype(target);
      launch(at, "convert", &convert_kernel<From, To>, striding_blocks(n, kThreads), kThreads, 0, n,
             static_cast<const From*>(from), static_cast<To*>(to));
    });
  });
}

void widen_all(const Launch& at, const WidenedRange* ranges, int count) {
  for (; count > 0; ranges += WidenedRanges::kMost, count -= WidenedRanges::kMost) {
    const int now = std::min(count, WidenedRanges::kMost);
    WidenedRanges some;
    std::copy_n(ranges, now, some.at);
    std::int64_t longest = 0;
    bool aligned = true;
    for (const WidenedRange* range = ranges; range < ranges + now; ++range) {
      longest = std::max(longest, range->n);
      aligned = aligned && wide(range->from, range->to);
    }
    with_pack<bfloat16>(kWhole<bfloat16>, aligned, [&](auto count_of_pack) {
      // All ranges together fill the device, if the longest has so much to do.
      const unsigned share = std::max(1U, striding_blocks(INT64_MAX / 2, kThreads) / static_cast<unsigned>(now));
      const unsigned blocks = std::min(share, striding_blocks(longest / count_of_pack() + 1, kThreads));
      launch(at, "widen_all", &widen_kernel<count_of_pack()>, dim3(blocks, static_cast<unsigned>(now)), kThreads, 0,
             some);
    });
  }
}

void dropout(const Launch& at, DType dtype, int rows, int features, float p, std::uint32_t layer,
             const std::int32_t* samples, const StepState* state, const void* x, void* y) {
  if (rows == 0 || features == 0) return;
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    launch(at, "dropout", &dropout_kernel<T>, striding_blocks(std::int64_t{rows} * ((features + 3) / 4), kThreads),
           kThreads, 0, rows, features, p, layer, samples, state, static_cast<const T*>(x), static_cast<T*>(y));
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
