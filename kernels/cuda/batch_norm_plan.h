// How batch normalisation cuts a (rows, C) matrix, and where its numbers lie in the workspace. Both follow from the
// shape alone, so that sums are added in the same order on every device.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/batch_norm.h"
#include "kernels/cuda/device.h"
#include "kernels/error.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// A block of threads takes a chunk of rows of some channels: x counts packs of channels, y rows.
struct BatchNormPlan {
  static constexpr int kThreads = 256;
  static constexpr int kBlockPacks = 32;         ///< at most, side by side in a block
  static constexpr std::int64_t kBlocks = 1024;  ///< wanted: they fill the largest devices about once
  static constexpr std::int64_t kMinThreadRows = 4;
  static constexpr std::int64_t kMaxThreadRows = 64;  ///< what a thread adds up in one float stays this short
  static constexpr int kPartials = 3;                 ///< numbers a chunk and channel
  static constexpr int kCoefficients = 4;             ///< numbers a channel

  std::int64_t rows;
  std::int64_t channels;
  std::int64_t chunk_rows;
  std::int64_t chunks;
  int block_packs;
  int block_rows;
  int blocks_across;

  BatchNormPlan(const BatchNormShape& shape, int pack) : rows(shape.rows), channels(shape.channels) {
    RETORT_CHECK(rows > 0 && channels > 0, "batch norm of ", rows, " rows, ", channels, " channels");
    const auto ceil_div = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
    const std::int64_t packs = ceil_div(channels, pack);
    blocks_across = static_cast<int>(ceil_div(packs, kBlockPacks));
    block_packs = static_cast<int>(ceil_div(packs, blocks_across));
    block_rows = kThreads / block_packs;
    const std::int64_t wanted = std::max<std::int64_t>(1, kBlocks / blocks_across);
    chunk_rows = block_rows * std::clamp(ceil_div(rows, block_rows * wanted), kMinThreadRows, kMaxThreadRows);
    chunks = ceil_div(rows, chunk_rows);
  }

  dim3 grid() const { return {static_cast<unsigned>(chunks), static_cast<unsigned>(blocks_across), 1}; }
  dim3 block() const { return {static_cast<unsigned>(block_packs), static_cast<unsigned>(block_rows), 1}; }

  /// The workspace: coefficients first, so that they are as aligned as it is, then the chunks' partial sums.
  std::size_t bytes() const { return (kCoefficients + chunks * kPartials) * channels * sizeof(float); }
  float* coefficients(void* workspace) const { return static_cast<float*>(workspace); }
  float* partials(void* workspace) const { return static_cast<float*>(workspace) + kCoefficients * channels; }

  RETORT_HOST_DEVICE std::int64_t chunk_begin(std::int64_t chunk) const { return chunk * chunk_rows; }
  RETORT_HOST_DEVICE std::int64_t chunk_end(std::int64_t chunk) const {
    const std::int64_t end = (chunk + 1) * chunk_rows;
    return end < rows ? end : rows;
  }
};

}  // namespace retort::RETORT_CUDA_NAMESPACE
