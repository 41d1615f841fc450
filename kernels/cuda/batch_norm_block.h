// What one thread and one block of batch normalisation do whatever they compute: walk down the rows of a chunk, and add
// up in a fixed order.
#pragma once

#include "kernels/cuda/batch_norm_plan.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/floats.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// An operand that may be absent.
template <int kCount, typename T>
__device__ __forceinline__ Pack<T, kCount> load_if_there(const T* base, std::int64_t at) {
  return base == nullptr ? Pack<T, kCount>{} : load_pack<kCount>(base + at);
}

/// The rows and channels of one thread.
class BatchNormTile {
 public:
  __device__ BatchNormTile(const BatchNormPlan& plan, std::int64_t chunk, int pack)
      : channel((std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x) * pack),
        inside(channel < plan.channels),
        channels_(plan.channels),
        row_(plan.chunk_begin(chunk) + threadIdx.y),
        end_(inside ? plan.chunk_end(chunk) : 0) {}

  __device__ bool empty() const { return row_ >= end_; }

  const std::int64_t channel;
  const bool inside;  ///< blocks may be wider than what is left of the channels

  /// Calls use(at, load(at)) for the element at which each row's piece begins. Several rows are loaded before the first
  /// of them is used, since a store keeps the compiler from moving loads ahead of it.
  template <int kRows, typename Load, typename Use>
  __device__ __forceinline__ void each(const Load& load, const Use& use) const {
    const std::int64_t step = blockDim.y;
    for (std::int64_t row = row_; row < end_; row += kRows * step) {
      decltype(load(row)) held[kRows] = {};
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        if (row + r * step < end_) held[r] = load((row + r * step) * channels_ + channel);
      }
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        if (row + r * step < end_) use((row + r * step) * channels_ + channel, held[r]);
      }
    }
  }

 private:
  const std::int64_t channels_;
  const std::int64_t row_;
  const std::int64_t end_;
};

struct Totals {
  double first = 0;
  double second = 0;
};

/// The kernels that add up chunks: a block has a few channels (x), whose chunks its rows of threads (y) share.
constexpr int kTotalChannels = 8;
constexpr int kTotalParts = 32;

/// Adds term(chunk) over all chunks; the threads of row 0 get the sums.
template <typename Term>
__device__ Totals add_chunks(std::int64_t chunks, const Term& term) {
  __shared__ double shared[2][kTotalParts][kTotalChannels];
  const int x = static_cast<int>(threadIdx.x);
  const int y = static_cast<int>(threadIdx.y);
  Totals own;
  for (std::int64_t chunk = y; chunk < chunks; chunk += kTotalParts) {
    const Totals part = term(chunk);
    own.first += part.first;
    own.second += part.second;
  }
  if (y < chunks) {
    shared[0][y][x] = own.first;
    shared[1][y][x] = own.second;
  }
  __syncthreads();
  if (y > 0) return own;
  for (int part = 1; part < kTotalParts && part < chunks; ++part) {
    own.first += shared[0][part][x];
    own.second += shared[1][part][x];
  }
  return own;
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
