// A block takes a chunk of the rows and some of the channels; its threads stand side by side along the channels (x) and
// one below the other along the rows (y).
#pragma once

#include "bench/lab/batch_norm/batch_norm.h"
#include "kernels/cuda/batch_norm_block.h"  // add_chunks
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

/// The launch of the kernel that adds up the chunks (add_chunks), and the channel of its threads.
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
