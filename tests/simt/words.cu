// Each word of include/cuda_runtime.h in a kernel that does little else.
#include <cuda_runtime.h>

#include "tests/simt/words.h"

namespace simt::words {
namespace {

constexpr unsigned kAll = 0xffffffffU;

__global__ void shuffle_kernel(Shuffle word, unsigned mask, int argument, int width, const int* in, int* out) {
  const unsigned lane = threadIdx.x;
  if ((mask >> lane & 1U) == 0) return;
  int value = in[lane];
  switch (word) {
    case Shuffle::index:
      value = __shfl_sync(mask, value, argument, width);
      break;
    case Shuffle::up:
      value = __shfl_up_sync(mask, value, static_cast<unsigned>(argument), width);
      break;
    case Shuffle::down:
      value = __shfl_down_sync(mask, value, static_cast<unsigned>(argument), width);
      break;
    case Shuffle::bits:
      value = __shfl_xor_sync(mask, value, argument, width);
      break;
  }
  out[lane] = value;
}

__global__ void vote_kernel(Vote word, unsigned mask, const int* predicates, unsigned* out) {
  const unsigned lane = threadIdx.x;
  if ((mask >> lane & 1U) == 0) return;
  const int predicate = predicates[lane];
  switch (word) {
    case Vote::ballot:
      out[lane] = __ballot_sync(mask, predicate);
      break;
    case Vote::any:
      out[lane] = static_cast<unsigned>(__any_sync(mask, predicate));
      break;
    case Vote::all:
      out[lane] = static_cast<unsigned>(__all_sync(mask, predicate));
      break;
  }
}

template <typename T>
__global__ void type_kernel(T value, T* out) {
  const T own = value - static_cast<T>(threadIdx.x);
  out[threadIdx.x] = __shfl_down_sync(kAll, own, 1);
}

__global__ void inclusive_sums_kernel(const int* in, int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  int value = in[lane];
  for (int i = 1; i <= 4; i *= 2) {
    const int n = __shfl_up_sync(kAll, value, static_cast<unsigned>(i), 8);
    if ((lane & 7) >= i) value += n;
  }
  out[lane] = value;
}

__global__ void bits_kernel(unsigned value, int* out) {
  out[0] = __popc(value);
  out[1] = __ffs(static_cast<int>(value));
  out[2] = 0;
  out[2] = __ldg(out) + 1;
}

template <typename T>
__global__ void add_kernel(T* target, const T* values) {
  atomicAdd(target, values[blockIdx.x * blockDim.x + threadIdx.x]);
}
template <typename T>
__global__ void max_kernel(T* target, const T* values) {
  atomicMax(target, values[blockIdx.x * blockDim.x + threadIdx.x]);
}
template <typename T>
__global__ void or_kernel(T* target, const T* values) {
  atomicOr(target, values[blockIdx.x * blockDim.x + threadIdx.x]);
}

__global__ void atomic_results_kernel(int* target, int* out) {
  out[0] = atomicAdd(target, 3);
  out[1] = *target;
  out[2] = atomicMax(target, 10);
  out[3] = *target;
  out[4] = atomicMax(target, 2);
  out[5] = *target;
  out[6] = atomicOr(target, 16);
  out[7] = *target;
}

__global__ void atomic_increments_kernel(unsigned* target, unsigned last, unsigned* out) {
  for (int i = 0; i < 4; ++i) out[i] = atomicInc(target, last);
}

/// __host__ and __launch_bounds__ have no effect here, but have to be taken.
__host__ __device__ __forceinline__ unsigned number(unsigned x, unsigned y, unsigned z, unsigned nx, unsigned ny) {
  return x + nx * (y + ny * z);
}

__global__ void __launch_bounds__(1024, 1) places_kernel(Place* out) {
  const unsigned thread = number(threadIdx.x, threadIdx.y, threadIdx.z, blockDim.x, blockDim.y);
  const unsigned block = number(blockIdx.x, blockIdx.y, blockIdx.z, gridDim.x, gridDim.y);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  const unsigned lanes = threads - thread / 32 * 32;  // the last warp may be a part of one
  const unsigned first = __shfl_sync(lanes >= 32 ? kAll : (1U << lanes) - 1U, thread, 0);
  out[block * threads + thread] = {{threadIdx.x, threadIdx.y, threadIdx.z},
                                   {blockIdx.x, blockIdx.y, blockIdx.z},
                                   {blockDim.x, blockDim.y, blockDim.z},
                                   {gridDim.x, gridDim.y, gridDim.z},
                                   first};
}

__global__ void dynamic_kernel(int count, bool peek, float* out) {
  auto* shared = static_cast<float*>(dynamic_shared());
  const int i = static_cast<int>(threadIdx.x);
  if (peek) out[i] = shared[0];
  if (i < count) shared[i] = static_cast<float>(i);
  __syncthreads();
  if (i < count) out[static_cast<int>(blockIdx.x) * count + i] = shared[count - 1 - i];
}

__global__ void float4_kernel(const float* in, float* out) {
  const float4 four = reinterpret_cast<const float4*>(in)[threadIdx.x];
  reinterpret_cast<float4*>(out)[threadIdx.x] = float4{four.w, four.z, four.y, four.x};
}

__global__ void warp_barrier_kernel(unsigned mask, int* out) {
  __shared__ int values[32];
  const int lane = static_cast<int>(threadIdx.x);
  if ((mask >> lane & 1U) == 0) return;
  values[lane] = 10 * lane;
  if (mask == kAll) {
    __syncwarp();
  } else {
    __syncwarp(mask);
  }
  int sum = 0;
  for (int other = 0; other < 32; ++other) {
    if ((mask >> other & 1U) != 0) sum += values[other];
  }
  out[lane] = sum;
}

__global__ void across_blocks_kernel(int* out) {
  __shared__ int value;
  if (blockIdx.x == 0) value = 1;
  out[blockIdx.x] = value;
}

__global__ void empty_kernel() {}

}  // namespace

void shuffle(Shuffle word, unsigned mask, int argument, int width, const int* in, int* out) {
  launch("shuffle", shuffle_kernel, {1}, {32}, 0, word, mask, argument, width, in, out);
}
void vote(Vote word, unsigned mask, const int* predicates, unsigned* out) {
  launch("vote", vote_kernel, {1}, {32}, 0, word, mask, predicates, out);
}

template <typename T>
void shuffle_type(T value, T* out) {
  launch("shuffle_type", type_kernel<T>, {1}, {32}, 0, value, out);
}
template void shuffle_type(int, int*);
template void shuffle_type(unsigned, unsigned*);
template void shuffle_type(long long, long long*);
template void shuffle_type(unsigned long long, unsigned long long*);
template void shuffle_type(float, float*);
template void shuffle_type(double, double*);

void inclusive_sums(const int* in, int* out) {
  launch("inclusive_sums", inclusive_sums_kernel, {1}, {32}, 0, in, out);
}
void bits(unsigned value, int* out) {
  launch("bits", bits_kernel, {1}, {1}, 0, value, out);
}

template <typename T>
void atomic_add(T* target, const T* values) {
  launch("atomic_add", add_kernel<T>, {2}, {64}, 0, target, values);
}
template void atomic_add(int*, const int*);
template void atomic_add(unsigned*, const unsigned*);
template void atomic_add(unsigned long long*, const unsigned long long*);
template void atomic_add(float*, const float*);
template void atomic_add(double*, const double*);
template <typename T>
void atomic_max(T* target, const T* values) {
  launch("atomic_max", max_kernel<T>, {2}, {64}, 0, target, values);
}
template void atomic_max(int*, const int*);
template void atomic_max(unsigned*, const unsigned*);
template void atomic_max(long long*, const long long*);
template void atomic_max(unsigned long long*, const unsigned long long*);
template <typename T>
void atomic_or(T* target, const T* values) {
  launch("atomic_or", or_kernel<T>, {2}, {64}, 0, target, values);
}
template void atomic_or(int*, const int*);
template void atomic_or(unsigned*, const unsigned*);
template void atomic_or(unsigned long long*, const unsigned long long*);

void atomic_results(int* target, int* out) {
  launch("atomic_results", atomic_results_kernel, {1}, {1}, 0, target, out);
}
void atomic_increments(unsigned* target, unsigned last, unsigned* out) {
  launch("atomic_increments", atomic_increments_kernel, {1}, {1}, 0, target, last, out);
}
void places(Extent grid, Extent block, Place* out) {
  launch("places", places_kernel, grid, block, 0, out);
}
void dynamic(int count, std::size_t bytes, bool peek, float* out) {
  launch("dynamic", dynamic_kernel, {2}, {64}, bytes, count, peek, out);
}
void move_float4(const float* in, float* out) {
  launch("move_float4", float4_kernel, {1}, {4}, 0, in, out);
}
void warp_barrier(unsigned mask, int* out) {
  launch("warp_barrier", warp_barrier_kernel, {1}, {32}, 0, mask, out);
}
void shared_across_blocks(int* out) {
  launch("shared_across_blocks", across_blocks_kernel, {2}, {1}, 0, out);
}
void empty(Extent grid, Extent block, std::size_t dynamic_shared_bytes) {
  launch("empty", empty_kernel, grid, block, dynamic_shared_bytes);
}

}  // namespace simt::words
