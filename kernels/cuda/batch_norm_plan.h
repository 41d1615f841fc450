// How batch normalisation cuts a (rows, C) matrix, and where its numbers lie in the workspace. Both follow from the
// shape alone, so that sums are added in the same order on every device.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/batch_norm.h"
#include "kernels/cuda/device.h"
#include "kernels/error.h"

namespace retort::RETORT_CUDA_NAMESPACE {

/// Where the numbers between the passes lie.
struct BatchNormScratch {
  float* coefficients = nullptr;  // (kCoefficients, C) of the second pass
  double* groups = nullptr;       // (groups, kPartials, C) sums over groups of chunks
  float* partials = nullptr;      // (chunks, kPartials, C) sums over chunks
  std::uint32_t* tickets = nullptr;
};

/// A block of threads takes a chunk of rows of some channels: x counts packs of channels, y rows. The last block of a
/// group of chunks adds up the group, the last group's adds up all; so no block has much to add.
struct BatchNormPlan {
  static constexpr int kThreads = 256;
  static constexpr int kBlockPacks = 32;         ///< at most, side by side in a block
  static constexpr std::int64_t kBlocks = 1024;  ///< wanted: they fill the largest devices about once
  static constexpr std::int64_t kMinThreadRows = 4;
  static constexpr std::int64_t kMaxThreadRows = 64;  ///< what a thread adds up in one float stays this short
  static constexpr std::int64_t kMinGroup = 16;       ///< chunks that are added up in one go
  static constexpr int kPartials = 3;                 ///< numbers a chunk and channel, or a group
  static constexpr int kCoefficients = 4;             ///< numbers a channel

  std::int64_t rows;
  std::int64_t channels;
  std::int64_t chunk_rows;
  std::int64_t chunks;
  std::int64_t group_chunks;
  std::int64_t groups;
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
    RETORT_CHECK(2 * blocks_across <= Launch::kTickets, "batch norm of ", channels, " channels");
    group_chunks = kMinGroup;
    groups = ceil_div(chunks, group_chunks);
    while (groups > group_chunks || blocks_across * (groups + 1) > Launch::kTickets) {
      group_chunks *= 2;
      groups = ceil_div(chunks, group_chunks);
    }
  }

  dim3 grid() const { return {static_cast<unsigned>(chunks), static_cast<unsigned>(blocks_across), 1}; }
  dim3 block() const { return {static_cast<unsigned>(block_packs), static_cast<unsigned>(block_rows), 1}; }

  /// The workspace begins with the coefficients, which are then as aligned as it is.
  std::size_t bytes() const {
    return ((kCoefficients + chunks * kPartials) * sizeof(float) + groups * kPartials * sizeof(double)) * channels;
  }
  BatchNormScratch scratch(const Launch& at) const {
    BatchNormScratch all;
    all.coefficients = static_cast<float*>(at.workspace);
    all.groups = reinterpret_cast<double*>(all.coefficients + kCoefficients * channels);
    all.partials = reinterpret_cast<float*>(all.groups + groups * kPartials * channels);
    all.tickets = at.tickets;
    return all;
  }

  RETORT_HOST_DEVICE std::int64_t chunk_begin(std::int64_t chunk) const { return chunk * chunk_rows; }
  RETORT_HOST_DEVICE std::int64_t chunk_end(std::int64_t chunk) const {
    const std::int64_t end = (chunk + 1) * chunk_rows;
    return end < rows ? end : rows;
  }
  /// Of a group, the chunks from its first to behind its last.
  RETORT_HOST_DEVICE std::int64_t group_begin(std::int64_t group) const { return group * group_chunks; }
  RETORT_HOST_DEVICE std::int64_t group_end(std::int64_t group) const {
    const std::int64_t end = (group + 1) * group_chunks;
    return end < chunks ? end : chunks;
  }
};

}  // namespace retort::RETORT_CUDA_NAMESPACE
