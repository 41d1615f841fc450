// How batch normalisation cuts a (rows, C) matrix, and where its scratch numbers lie in the workspace.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "kernels/batch_norm.h"
#include "kernels/cpu/parallel.h"
#include "kernels/error.h"

namespace retort::cpu {

struct BatchNormPlan {
  static constexpr std::int64_t kMinWidth = 256;  ///< inner loops this long hide their own overhead
  static constexpr int kGroup = 4;                ///< wide rows added before an accumulator is touched
  static constexpr int kGroupsPerFlush = 32;      ///< float accumulators go to double after so many groups
  static constexpr std::int64_t kMaxChunks = 64;
  static constexpr std::int64_t kMinChunkElements = 16384;

  std::int64_t rows;
  std::int64_t channels;
  std::int64_t fold;   ///< consecutive rows seen as one wide row, so that narrow channels fill vectors too
  std::int64_t width;  ///< fold * channels
  std::int64_t chunk_rows;
  std::int64_t chunks;

  explicit BatchNormPlan(const BatchNormShape& shape) : rows(shape.rows), channels(shape.channels) {
    RETORT_CHECK(rows > 0 && channels > 0, "batch norm of ", rows, " rows, ", channels, " channels");
    const auto ceil_div = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
    fold = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(ceil_div(kMinWidth, channels))));
    width = fold * channels;
    const std::int64_t wanted = std::max(ceil_div(rows, kMaxChunks), ceil_div(kMinChunkElements, channels));
    chunk_rows = ceil_div(wanted, kGroup * fold) * kGroup * fold;
    chunks = ceil_div(rows, chunk_rows);
  }

  std::int64_t chunk_begin(std::int64_t chunk) const { return chunk * chunk_rows; }
  std::int64_t chunk_end(std::int64_t chunk) const { return std::min(rows, (chunk + 1) * chunk_rows); }
};

/// The workspace: per chunk two sums a channel, in double and in the float accumulators that feed them; for the whole
/// tensor the totals and up to four coefficients a channel, repeated to the width of a wide row.
class BatchNormScratch {
 public:
  static constexpr int kCoefficients = 4;

  BatchNormScratch(const BatchNormPlan& plan, void* base) : plan_(plan), base_(static_cast<std::byte*>(base)) {}

  std::size_t bytes() const { return coefficients_at() + kCoefficients * floats(); }

  /// which: 0 or 1.
  double* sum(std::int64_t chunk, int which) const { return at<double>(chunk * chunk_bytes() + which * doubles()); }
  float* accumulator(std::int64_t chunk, int which) const {
    return at<float>(chunk * chunk_bytes() + 2 * doubles() + which * floats());
  }
  double* total(int which) const { return at<double>(plan_.chunks * chunk_bytes() + which * doubles()); }
  float* coefficient(int which) const { return at<float>(coefficients_at() + which * floats()); }

 private:
  static std::size_t round_up(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
  std::size_t doubles() const { return round_up(plan_.channels * sizeof(double)); }
  std::size_t floats() const { return round_up(plan_.width * sizeof(float)); }
  std::size_t chunk_bytes() const { return 2 * doubles() + 2 * floats(); }
  std::size_t coefficients_at() const { return plan_.chunks * chunk_bytes() + 2 * doubles(); }
  template <typename T>
  T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }

  const BatchNormPlan& plan_;
  std::byte* base_;
};

}  // namespace retort::cpu
