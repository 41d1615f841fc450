// What one thread and one block of batch normalisation do whatever they compute: walk down the rows of a chunk, and add
// up in a fixed order, over the block and then over all blocks.
#pragma once

#include "kernels/cuda/batch_norm_plan.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/floats.h"
#include "kernels/cuda/last_block.h"

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

/// What some rows of a channel add up to. Forward: the distances to `shift`, and their squares. Backward, where there
/// is no shift: the gradient, and the gradient times the distance to the mean.
struct Totals {
  double shift = 0;
  double first = 0;
  double second = 0;

  /// The same of so many other rows; kSquares: their shift may be another.
  template <bool kSquares>
  __device__ void add(const Totals& other, double rows) {
    const double move = kSquares ? other.shift - shift : 0;
    first += kSquares ? other.first + rows * move : other.first;
    second += kSquares ? other.second + 2 * move * other.first + rows * move * move : other.second;
  }

  /// They lie `stride` numbers apart.
  template <bool kSquares, typename T>
  __device__ static Totals load(const T* from, std::int64_t stride) {
    return {kSquares ? from[0] : 0, from[stride], from[2 * stride]};
  }
  template <bool kSquares>
  __device__ void store(double* to, std::int64_t stride) const {
    if (kSquares) to[0] = shift;
    to[stride] = first;
    to[2 * stride] = second;
  }
};

/// One of the threads that add up: neighbours have neighbouring channels of the block's tile, and a channel has `parts`
/// threads.
struct SumThread {
  const int width;  ///< channels of the tile
  const int number, parts, part;
  const std::int64_t channel;
  const bool inside;  ///< has a channel
  const bool writes;  ///< gets its sum

  __device__ SumThread(const BatchNormPlan& plan, int pack)
      : width(static_cast<int>(blockDim.x) * pack),
        number(static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x)),
        parts(static_cast<int>(blockDim.y) / pack),
        part(number / width),
        channel(std::int64_t{blockIdx.y} * width + number % width),
        inside(part < parts && channel < plan.channels),
        writes(inside && part == 0) {}
};

/// Adds up what a channel's threads have, of which the first `count` have something; the one that writes gets the sum.
__device__ inline Totals add_parts(const SumThread& self, std::int64_t count, Totals own) {
  __shared__ double shared[2][BatchNormPlan::kThreads];
  if (self.inside && self.part < count) {
    shared[0][self.number] = own.first;
    shared[1][self.number] = own.second;
  }
  __syncthreads();
  if (!self.writes) return own;
  for (int part = 1; part < self.parts && part < count; ++part) {
    own.first += shared[0][self.number + part * self.width];
    own.second += shared[1][self.number + part * self.width];
  }
  return own;
}

/// Adds term(0) to term(count - 1), of rows(i) rows each, always in the same order; threads that write get the result.
/// All threads of the block have to call it, with a barrier between two calls.
template <bool kSquares, typename Term, typename Rows>
__device__ Totals add_terms(const SumThread& self, std::int64_t count, const Term& term, const Rows& rows) {
  Totals own;
  if (self.inside && self.part < count) {
    if (kSquares) own.shift = term(0).shift;
#pragma unroll 4
    for (std::int64_t i = self.part; i < count; i += self.parts) {
      own.add<kSquares>(term(i), static_cast<double>(rows(i)));
    }
  }
  return add_parts(self, count, own);
}

/// By all blocks, each of which has written the partial sums of its chunk, number blockIdx.x: the last one calls
/// finish(channel, sums over all rows) for the channels of its tile.
template <bool kSquares, int kCount, typename Finish>
__device__ void add_chunks(const BatchNormPlan& plan, const BatchNormScratch& scratch, const Finish& finish) {
  const SumThread self(plan, kCount);
  const std::int64_t stride = plan.channels;
  const auto place = [&](auto* sums, std::int64_t i) {
    return sums + i * BatchNormPlan::kPartials * stride + self.channel;
  };
  const std::int64_t group = blockIdx.x / plan.group_chunks;
  const std::int64_t begin = plan.group_begin(group);
  const std::int64_t count = plan.group_end(group) - begin;
  std::uint32_t* tickets = scratch.tickets + blockIdx.y * (plan.groups + 1);
  if (!last_block(tickets + 1 + group, count)) return;
  Totals total = add_terms<kSquares>(
      self, count, [&](std::int64_t i) { return Totals::load<kSquares>(place(scratch.partials, begin + i), stride); },
      [&](std::int64_t i) { return plan.chunk_end(begin + i) - plan.chunk_begin(begin + i); });
  if (plan.groups > 1) {
    if (self.writes) total.store<kSquares>(place(scratch.groups, group), stride);
    if (!last_block(tickets, plan.groups)) return;
    total = add_terms<kSquares>(
        self, plan.groups, [&](std::int64_t i) { return Totals::load<kSquares>(place(scratch.groups, i), stride); },
        [&](std::int64_t i) { return plan.chunk_end(plan.group_end(i) - 1) - plan.chunk_begin(plan.group_begin(i)); });
  }
  if (self.writes) finish(self.channel, total);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
