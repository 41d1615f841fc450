// Batch normalisation in training, with ReLU, in numbered versions: each is one idea further than the one before
// (README.md). x is (rows, channels), neighbouring channels beside each other:
//
//     y = max(0, gamma (x - mean) / sqrt(variance + epsilon) + beta),    mean and biased variance over a channel's rows
//
// All versions compute the same; they differ in who reads what, and in what is left of the variance's digits.
#pragma once

#include "kernels/types.h"

namespace retort::lab {

struct BatchNorm {
  int rows = 0, channels = 0;
  DType dtype = DType::f32;  // of x and y
  float epsilon = 1e-5F;
  const void* x = nullptr;       // (rows, channels)
  const float* gamma = nullptr;  // (channels)
  const float* beta = nullptr;   // (channels)
  float* mean = nullptr;         // (channels), written
  float* variance = nullptr;     // (channels), written
  void* y = nullptr;             // (rows, channels), written
  float* partials = nullptr;     // partial_count() numbers of scratch
};

/// Rows are cut into chunks, a block each, of which none but the last is shorter than this. Where they are cut follows
/// from the shape alone, and so does the order of every sum.
constexpr int kLeastChunk = 128;

/// Two sums for each chunk and channel.
inline std::size_t partial_count(const BatchNorm& problem) {
  const int chunks = (problem.rows + kLeastChunk - 1) / kLeastChunk;
  return 2 * static_cast<std::size_t>(chunks) * static_cast<std::size_t>(problem.channels);
}

/// The least that has to be moved: x read, y written.
inline double least_bytes(const BatchNorm& problem) {
  return 2.0 * problem.rows * problem.channels * static_cast<double>(size_of(problem.dtype));
}

struct BatchNormVersion {
  const char* name;
  const char* idea;
  void (*run)(const Launch& launch, const BatchNorm& problem);
  int most_rows;  ///< 0: any number
  bool packs;     ///< accesses of 16 bytes: channels have to fill them; bf16 as well as fp32
};

void batch_norm_v1(const Launch& launch, const BatchNorm& problem);
void batch_norm_v2(const Launch& launch, const BatchNorm& problem);
void batch_norm_v3(const Launch& launch, const BatchNorm& problem);
void batch_norm_v4(const Launch& launch, const BatchNorm& problem);
void batch_norm_v5(const Launch& launch, const BatchNorm& problem);

constexpr BatchNormVersion batch_norm_versions[] = {
    {"v1", "a block a channel", &batch_norm_v1, 0, false},
    {"v2", "threads along channels, blocks along rows", &batch_norm_v2, 0, false},
    {"v3", "squares of distances", &batch_norm_v3, 0, false},
    {"v4", "sixteen bytes a lane", &batch_norm_v4, 0, true},
    {"v5", "the slice in registers", &batch_norm_v5, 4096, true},
};

inline bool takes(const BatchNormVersion& version, const BatchNorm& problem) {
  if (version.most_rows != 0 && problem.rows > version.most_rows) return false;
  if (version.packs) return problem.channels % static_cast<int>(16 / size_of(problem.dtype)) == 0;
  return problem.dtype == DType::f32;
}

}  // namespace retort::lab
