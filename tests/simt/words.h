// What the tests of cuda_runtime.h's words launch. Results are what the lanes or threads see, in their order.
#pragma once

#include "tests/simt/runner.h"

namespace simt::words {

enum class Shuffle { index, up, down, bits };
enum class Vote { ballot, any, all };

/// Of the 32 lanes those in `mask` take part; the others leave their result as it is.
void shuffle(Shuffle word, unsigned mask, int argument, int width, const int* in, int* out);
void vote(Vote word, unsigned mask, const int* predicates, unsigned* out);

/// Lane i brings value - i and gets what lane i + 1 brings.
template <typename T>
void shuffle_type(T value, T* out);

/// The guide's sum over sub-partitions of eight lanes: out[lane] = in[first of its eight] + ... + in[lane].
void inclusive_sums(const int* in, int* out);

/// out = {popc, ffs, popc as __ldg loads it + 1}
void bits(unsigned value, int* out);

/// Each of two blocks' 64 threads applies the word to *target, with the value of its number in the grid.
template <typename T>
void atomic_add(T* target, const T* values);
template <typename T>
void atomic_max(T* target, const T* values);
template <typename T>
void atomic_or(T* target, const T* values);
/// One thread: {what the word returns, what is there then} of add 3, max 10, max 2, or 16.
void atomic_results(int* target, int* out);

/// One thread: what each of four atomicInc(target, last) returns.
void atomic_increments(unsigned* target, unsigned last, unsigned* out);

struct Place {
  unsigned thread[3], block[3], block_extent[3], grid_extent[3];
  unsigned first_of_warp;  ///< the number in the block of the thread that is lane 0 of this one's warp
};
/// Place of each thread, in the order of its number in the grid.
void places(Extent grid, Extent block, Place* out);

/// Each of two blocks writes `count` floats of dynamic shared memory and gives them back the other way round; with
/// `peek` after a look at what nobody wrote.
void dynamic(int count, std::size_t bytes, bool peek, float* out);

/// Sixteen bytes at once.
void move_float4(const float* in, float* out);

/// The lanes of `mask` get the sum of ten times their numbers, through shared memory with a __syncwarp(mask) between.
void warp_barrier(unsigned mask, int* out);

/// Block 0 writes a shared variable, block 1 reads it.
void shared_across_blocks(int* out);

void empty(Extent grid, Extent block, std::size_t dynamic_shared_bytes);

}  // namespace simt::words
