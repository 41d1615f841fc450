// The slice in registers: a block takes all rows of as many channels as a sector has, 8 in fp32 and 16 in bf16, keeps
// them, and reads x once. What is on the chip may be looked at twice: first the mean, then the squares of the distances
// to it, as the definition has it. One kernel instead of three, no partial sums; but rows only as far as registers
// reach, and no more blocks than there are slices.
#include "bench/lab/batch_norm/batch_norm.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using namespace retort::RETORT_CUDA_NAMESPACE;

constexpr int kPacks = 2;  ///< of 16 bytes across: a sector. Less would move the other half for nothing.
constexpr int kHigh = 256;
constexpr int kThreads = kPacks * kHigh;

/// A pack as it came. Taken apart to eight numbers, bf16 would have a register for each.
struct Held {
  Pack<std::uint32_t, 4> words;

  template <typename T>
  __device__ void load(const T* from) {
    words = load_pack(reinterpret_cast<const std::uint32_t*>(from));
  }
  template <typename T>
  __device__ Pack<T> as() const {
    Pack<T> pack;
    static_assert(sizeof pack == sizeof words);
    std::memcpy(static_cast<void*>(&pack), &words, sizeof pack);
    return pack;
  }
};

/// Adds up over the block's rows of threads; all get the result.
template <int kCount>
__device__ Floats<kCount> sum_of_rows(int rows, const Floats<kCount>& own) {
  __shared__ float shared[kPacks][kCount];
  Floats<kCount> sums[1] = {own};
  add_thread_rows<kThreads>(rows, sums);
  if (threadIdx.y == 0) {
    for (int j = 0; j < kCount; ++j) shared[threadIdx.x][j] = sums[0].v[j];
  }
  __syncthreads();
  for (int j = 0; j < kCount; ++j) sums[0].v[j] = shared[threadIdx.x][j];
  __syncthreads();  // before the next sum is written there
  return sums[0];
}

/// kHeld packs a thread.
template <typename T, int kHeld>
__global__ void __launch_bounds__(kThreads) kernel(BatchNorm p) {
  constexpr int kCount = kWhole<T>;
  using Channels = Floats<kCount>;
  const int channel = static_cast<int>(blockIdx.x * kPacks + threadIdx.x) * kCount;
  const bool inside = channel < p.channels;  // the last slice may be half of one
  Held held[kHeld];
  const int y = static_cast<int>(threadIdx.y);
  const int rows = inside && y < p.rows ? (p.rows - y + kHigh - 1) / kHigh : 0;  // of this thread
  const auto each = [&](const auto& body) {
#pragma unroll
    for (int i = 0; i < kHeld; ++i) {
      if (i < rows) body(held[i], std::int64_t{y + i * kHigh} * p.channels + channel);
    }
  };
  each([&](Held& in, std::int64_t at) { in.load(static_cast<const T*>(p.x) + at); });
  Channels own;
  each([&](const Held& in, std::int64_t) {
    const auto pack = in.template as<T>();
    for (int j = 0; j < kCount; ++j) own.v[j] += widen(pack.v[j]);
  });
  Channels mean = sum_of_rows(p.rows, own);
  for (int j = 0; j < kCount; ++j) mean.v[j] /= static_cast<float>(p.rows);
  own = {};
  each([&](const Held& in, std::int64_t) {
    const auto pack = in.template as<T>();
    for (int j = 0; j < kCount; ++j) {
      const float distance = widen(pack.v[j]) - mean.v[j];
      own.v[j] += distance * distance;
    }
  });
  Channels variance = sum_of_rows(p.rows, own);
  for (int j = 0; j < kCount; ++j) variance.v[j] /= static_cast<float>(p.rows);
  if (!inside) return;
  if (threadIdx.y == 0) {
    mean.store(p.mean + channel);
    variance.store(p.variance + channel);
  }
  const auto beta = Channels::load(p.beta + channel);
  auto scale = Channels::load(p.gamma + channel);
  for (int j = 0; j < kCount; ++j) scale.v[j] /= sqrtf(variance.v[j] + p.epsilon);
  each([&](const Held& in, std::int64_t at) {
    const auto pack = in.template as<T>();
    Pack<T> out;
    for (int j = 0; j < kCount; ++j) {
      const float result = (widen(pack.v[j]) - mean.v[j]) * scale.v[j] + beta.v[j];
      out.v[j] = narrow<T>(result < 0 ? 0.0F : result);  // NaN stays
    }
    store_pack(static_cast<T*>(p.y) + at, out);
  });
}

}  // namespace

void batch_norm_v5(const Launch& at, const BatchNorm& p) {
  with_type(p.dtype, [&](auto type) {
    using T = decltype(type);
    constexpr int kSlice = kPacks * kWhole<T>;
    const auto slices = static_cast<unsigned>((p.channels + kSlice - 1) / kSlice);
    launch(at, "batch_norm_v5", p.rows <= 4 * kHigh ? &kernel<T, 4> : &kernel<T, 16>, slices, dim3(kPacks, kHigh), 0,
           p);
  });
}

}  // namespace retort::lab
