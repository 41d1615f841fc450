// A block takes a chunk of the rows and some of the channels; its threads stand side by side along the channels (x) and
// one below the other along the rows (y).
#pragma once

#include "bench/lab/batch_norm/batch_norm.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {

using namespace retort::RETORT_CUDA_NAMESPACE;

constexpr int kBlockThreads = 256;

/// Rows of a chunk whose block has so many rows of threads: 4 a thread, or as many as make the least chunk.
RETORT_HOST_DEVICE constexpr int chunk_rows(int high) {
  return 4 * high < kLeastChunk ? kLeastChunk : 4 * high;
}

/// The launch: blocks of `across` <= 32 threads along the channels, `pack` channels each.
struct ChunkedLaunch {
  dim3 block, grid;
  int chunks;

  ChunkedLaunch(const BatchNorm& p, int across, int pack)
      : block(static_cast<unsigned>(across), static_cast<unsigned>(kBlockThreads / across)) {
    const int rows = chunk_rows(kBlockThreads / across);
    chunks = (p.rows + rows - 1) / rows;
    grid =
        dim3(static_cast<unsigned>(chunks), static_cast<unsigned>((p.channels + across * pack - 1) / (across * pack)));
  }
};

/// What is one thread's.
struct Chunk {
  int channel;              ///< the first of its pack
  bool inside;              ///< blocks may be wider than what is left of the channels
  std::int64_t begin, end;  ///< rows of the block

  __device__ explicit Chunk(const BatchNorm& p, int pack = 1)
      : channel(static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * pack),
        inside(channel < p.channels),
        begin(std::int64_t{blockIdx.x} * chunk_rows(static_cast<int>(blockDim.y))),
        end(begin + chunk_rows(static_cast<int>(blockDim.y))) {
    end = end < p.rows ? end : p.rows;
  }

  /// Calls body(where the thread's part of a row begins).
  template <typename Body>
  __device__ void each_row(const BatchNorm& p, const Body& body) const {
    if (!inside) return;
    for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) body(row * p.channels + channel);
  }

  /// Two sums of the block for each channel.
  __device__ float* partial(const BatchNorm& p) const {
    return p.partials + std::int64_t{2} * blockIdx.x * p.channels + channel;
  }
};

struct Totals {
  double first = 0;
  double second = 0;
};

/// The kernel that adds up the chunks: a block has a few channels (x), whose chunks its rows of threads (y) share.
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

/// Its launch, and the channel of its threads.
inline unsigned total_blocks(const BatchNorm& p) {
  return static_cast<unsigned>((p.channels + kTotalChannels - 1) / kTotalChannels);
}
inline dim3 total_block() {
  return dim3(kTotalChannels, kTotalParts);
}
__device__ inline int total_channel() {
  return static_cast<int>(blockIdx.x * kTotalChannels + threadIdx.x);
}

}  // namespace retort::lab
