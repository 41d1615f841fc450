// What one thread and one block of batch normalisation do whatever they compute: walk down the rows of a chunk, and add
// up in a fixed order.
#pragma once

#include <type_traits>

#include "kernels/cuda/batch_norm_plan.h"
#include "kernels/cuda/pack.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// Neighbouring channels of one row: sixteen bytes of them, or one where packs do not fit.
template <typename T>
struct Single {
  static constexpr int kCount = 1;
  T v[1];
};
template <typename T, bool kWide>
using Piece = std::conditional_t<kWide, Pack<T>, Single<T>>;

template <typename P, typename T>
__device__ __forceinline__ P load_piece(const T* from) {
  if constexpr (P::kCount == 1) {
    return {{*from}};
  } else {
    return load_pack(from);
  }
}
template <typename T>
__device__ __forceinline__ void store_piece(T* to, const Pack<T>& piece) {
  store_pack(to, piece);
}
template <typename T>
__device__ __forceinline__ void store_piece(T* to, const Single<T>& piece) {
  *to = piece.v[0];
}
/// An operand that may be absent.
template <typename P, typename T>
__device__ __forceinline__ P load_if_there(const T* base, std::int64_t at) {
  return base == nullptr ? P{} : load_piece<P>(base + at);
}

/// The numbers of a piece's channels.
template <int kCount>
struct PerChannel {
  float v[kCount] = {};

  PerChannel() = default;
  __device__ __forceinline__ explicit PerChannel(const float* from) {
    if constexpr (kCount == 1) {
      v[0] = *from;
    } else {
      for (int j = 0; j < kCount; j += Pack<float>::kCount) {
        const Pack<float> pack = load_pack(from + j);
        for (int k = 0; k < Pack<float>::kCount; ++k) v[j + k] = pack.v[k];
      }
    }
  }
  __device__ __forceinline__ void store(float* to) const {
    for (int j = 0; j < kCount; ++j) to[j] = v[j];
  }
};

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

/// Adds both over the block's rows of threads, of which `rows` have something; those of row 0 get the sums.
template <int kCount>
__device__ void add_block_rows(std::int64_t rows, PerChannel<kCount>& first, PerChannel<kCount>& second) {
  __shared__ float shared[2][kCount][BatchNormPlan::kThreads];
  const int width = static_cast<int>(blockDim.x);
  const int height = rows < blockDim.y ? static_cast<int>(rows) : static_cast<int>(blockDim.y);
  const int y = static_cast<int>(threadIdx.y);
  const int self = y * width + static_cast<int>(threadIdx.x);
  // Halves of the next power of two: the upper rows bring what they have, the lower ones add it.
  int half = 1;
  while (2 * half < height) half *= 2;
  for (; half > 0; half /= 2) {
    if (y >= half && y < 2 * half && y < height) {
      for (int j = 0; j < kCount; ++j) {
        shared[0][j][self] = first.v[j];
        shared[1][j][self] = second.v[j];
      }
    }
    __syncthreads();
    if (y < half && y + half < height) {
      for (int j = 0; j < kCount; ++j) {
        first.v[j] += shared[0][j][self + half * width];
        second.v[j] += shared[1][j][self + half * width];
      }
    }
  }
}

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
