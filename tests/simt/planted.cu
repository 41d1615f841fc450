// Kernels with one mistake each, and the same without it.
#include "kernels/cuda/device.h"
#include "tests/simt/planted.h"

namespace simt::planted {
namespace {

__device__ float warp_sum(float value) {
  for (int bits = 16; bits > 0; bits /= 2) value += __shfl_xor_sync(0xffffffffU, value, bits);
  return value;
}

/// Sums of the blocks' shares of x.
__global__ void block_sums(const float* x, int n, float* sums) {
  __shared__ float parts[32];
  float sum = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < static_cast<unsigned>(n); i += gridDim.x * blockDim.x) {
    sum += x[i];
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  sum = warp_sum(threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0.0F);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

__global__ void one_too_far(const float* x, int n, float* y) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i <= n) y[i] = x[i];  // <= instead of <
}

__global__ void shared_too_small(float* y) {
  __shared__ float values[63];
  values[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = values[threadIdx.x ^ 1U];
}

__device__ __forceinline__ float4 load_four(const float* from) {
  check_aligned(from, sizeof(float4));
  return *reinterpret_cast<const float4*>(from);
}

__global__ void half_aligned(const float* x, float* y) {
  const float4 four = load_four(x + 2);
  y[threadIdx.x] = four.x + four.y + four.z + four.w;
}

__global__ void never_written(float* y) {
  __shared__ float values[64];
  if (threadIdx.x > 0) values[threadIdx.x] = 1;  // nobody writes the first
  __syncthreads();
  y[threadIdx.x] = values[(threadIdx.x + 1) % 64];
}

__global__ void no_barrier(float* y) {
  __shared__ float values[64];
  values[threadIdx.x] = 0;
  __syncthreads();
  values[threadIdx.x] = static_cast<float>(threadIdx.x);
  y[threadIdx.x] = values[63 - threadIdx.x];  // what was there before, or after?
}

__global__ void both_write(float* y) {
  y[threadIdx.x / 2] = static_cast<float>(threadIdx.x);
}

__global__ void barrier_in_branch(float* y) {
  if (threadIdx.x < 40) __syncthreads();  // of 40 threads
  y[threadIdx.x] = 1;
}

__global__ void shuffle_in_branch(float* y) {
  float value = 1;
  if (threadIdx.x < 20) value += __shfl_xor_sync(0xffffffffU, value, 1);
  y[threadIdx.x] = value;
}

__global__ void first_come(int* counter, int* order) {
  if (threadIdx.x == 0) order[blockIdx.x] = atomicAdd(counter, 1);
}

__device__ std::uint8_t* bytes_of(float* y) {
  return reinterpret_cast<std::uint8_t*>(y);
}

/// Correct: nobody knows who stored last, and it makes no difference.
__global__ void same_store(float* y) {
  retort::simt::store_same(bytes_of(y) + threadIdx.x % 16, 1);
  __syncthreads();
  if (blockIdx.x == 1) return;
  __shared__ std::uint8_t seen[3];
  retort::simt::store_same(seen + threadIdx.x % 3, 2);
  __syncthreads();
  y[4 + threadIdx.x] = seen[threadIdx.x % 3];
}

__global__ void same_plain_store(float* y) {
  bytes_of(y)[threadIdx.x % 16] = 1;
}

__global__ void same_store_then_read(float* y) {
  std::uint8_t* bytes = bytes_of(y);
  retort::simt::store_same(bytes + threadIdx.x % 16, 1);
  if (threadIdx.x == 63) y[4] = bytes[0];  // which others have stored to
}

/// The second of two bytes that lie together is stored last.
__global__ void neighbours_then_read(float* y) {
  std::uint8_t* bytes = bytes_of(y);
  if (threadIdx.x < 2) retort::simt::store_same(bytes + threadIdx.x, 1);
  if (threadIdx.x == 1) y[4] = bytes[0];
}

__global__ void zeroed_at_once(int* counter) {
  if (threadIdx.x == 0) *counter = 0;
  atomicAdd(counter, 1);  // perhaps before it is zero
}

/// Correct: what a lane did before its last barrier with another is ordered for that one, however many it had alone.
__global__ void halves_then_all(float* y) {
  __shared__ float values[32];
  const unsigned lane = threadIdx.x;
  if (lane < 16) __syncwarp(0x0000ffffU);
  if (lane < 16) __syncwarp(0x0000ffffU);
  if (lane >= 16) __syncwarp(0xffff0000U);
  values[lane] = 1;
  __syncwarp();
  y[lane] = values[31 - lane];
}

__global__ void half_warp_barrier(float* y) {
  __shared__ float values[32];
  const unsigned lane = threadIdx.x;
  values[lane] = 1;
  if (lane < 16) __syncwarp(0x0000ffffU);
  y[lane] = lane < 16 ? values[15 - lane] : 0.0F;
  if (lane == 0) y[lane] = values[16];  // not a lane of its barrier
}

/// Blocks leave their sums in y, and whoever draws the last ticket adds them up. Correct, unless told to leave out a
/// step.
enum class Step { none, fence_before, fence_behind, barrier_before, keep_ticket, last_block };
template <Step kWithout>
__global__ void last_adds(const float* x, float* y, unsigned* ticket) {
  __shared__ bool last;
  const unsigned i = threadIdx.x;
  float* sums = y + 4;
  sums[blockIdx.x * blockDim.x + i] = x[i];
  if (kWithout != Step::barrier_before) __syncthreads();
  if (i == 0) {
    if (kWithout != Step::fence_before) __threadfence();
    if (kWithout == Step::keep_ticket && blockIdx.x == 1) retort::simt::store_same(ticket, 1);
    last = atomicInc(ticket, gridDim.x - 1) == gridDim.x - (kWithout == Step::last_block ? 2 : 1);
    if (kWithout != Step::fence_behind) __threadfence();
  }
  __syncthreads();
  if (!last || i >= 4) return;
  float total = 0;
  for (unsigned block = 0; block < gridDim.x; ++block) total += sums[block * blockDim.x + i];
  y[i] = total;
}

/// Correct: what the last block of the first level knows, the last of the second learns from it.
__global__ void last_of_two_levels(const float* x, float* y, unsigned* tickets) {
  float* sums = y + 4;
  sums[blockIdx.x] = x[0];
  __threadfence();
  if (atomicInc(tickets + 1 + blockIdx.x / 4, 3) != 3) return;
  __threadfence();
  if (atomicInc(tickets, 1) != 1) return;
  __threadfence();
  float total = 0;
  for (unsigned block = 0; block < 8; ++block) total += sums[block];
  for (unsigned j = 0; j < 4; ++j) y[j] = total;
}

}  // namespace

void run(Bug bug, float* x, int n, float* y, int* counter) {
  auto* const ticket = reinterpret_cast<unsigned*>(counter);
  const auto last_block = [&](auto* kernel) { launch("last_adds", kernel, {3}, {64}, 0, x, y, ticket); };
  switch (bug) {
    case Bug::none:
      return launch("block_sums", block_sums, {4}, {64}, 0, x, n, y);
    case Bug::one_too_far:
      return launch("one_too_far", one_too_far, {static_cast<unsigned>(n) / 64 + 1}, {64}, 0, x, n, y);
    case Bug::shared_too_small:
      return launch("shared_too_small", shared_too_small, {1}, {64}, 0, y);
    case Bug::half_aligned:
      return launch("half_aligned", half_aligned, {1}, {64}, 0, x, y);
    case Bug::never_written:
      return launch("never_written", never_written, {1}, {64}, 0, y);
    case Bug::no_barrier:
      return launch("no_barrier", no_barrier, {1}, {64}, 0, y);
    case Bug::both_write:
      return launch("both_write", both_write, {1}, {64}, 0, y);
    case Bug::barrier_in_branch:
      return launch("barrier_in_branch", barrier_in_branch, {1}, {64}, 0, y);
    case Bug::shuffle_in_branch:
      return launch("shuffle_in_branch", shuffle_in_branch, {1}, {64}, 0, y);
    case Bug::first_come:
      return launch("first_come", first_come, {8}, {32}, 0, counter, counter + 1);
    case Bug::same_store:
      return launch("same_store", same_store, {2}, {64}, 0, y);
    case Bug::same_plain_store:
      return launch("same_plain_store", same_plain_store, {1}, {64}, 0, y);
    case Bug::same_store_then_read:
      return launch("same_store_then_read", same_store_then_read, {1}, {64}, 0, y);
    case Bug::neighbours_then_read:
      return launch("neighbours_then_read", neighbours_then_read, {1}, {32}, 0, y);
    case Bug::zeroed_at_once:
      return launch("zeroed_at_once", zeroed_at_once, {1}, {64}, 0, counter);
    case Bug::half_warp_barrier:
      return launch("half_warp_barrier", half_warp_barrier, {1}, {32}, 0, y);
    case Bug::halves_then_all:
      return launch("halves_then_all", halves_then_all, {1}, {32}, 0, y);
    case Bug::last_adds:
      return last_block(last_adds<Step::none>);
    case Bug::no_fence_before_ticket:
      return last_block(last_adds<Step::fence_before>);
    case Bug::no_fence_behind_ticket:
      return last_block(last_adds<Step::fence_behind>);
    case Bug::no_barrier_before_ticket:
      return last_block(last_adds<Step::barrier_before>);
    case Bug::ticket_overwritten:
      return last_block(last_adds<Step::keep_ticket>);
    case Bug::last_but_one_adds:
      return last_block(last_adds<Step::last_block>);
    case Bug::last_of_two_levels:
      return launch("last_of_two_levels", last_of_two_levels, {8}, {1}, 0, x, y, ticket);
  }
}

}  // namespace simt::planted
