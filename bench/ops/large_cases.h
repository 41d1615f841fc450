// Operands of 256 MiB and more, which no cache holds: here a kernel is as fast as memory, or it is not good.
#pragma once

#include "bench/ops/network_cases.h"

namespace retort::bench {

/// Each form that networks use; 256 MiB an operand in bf16, 512 in fp32.
inline std::vector<cases::BatchNormCase> large_batch_norms() {
  std::vector<cases::BatchNormCase> all;
  for (const DType dtype : float_types) {
    cases::BatchNormCase alone;
    alone.shape = cases::batch_norm_shape(std::int64_t{1} << 21, 64, dtype, true);
    cases::BatchNormCase end_of_block = alone, start_of_block = alone, evaluation = alone;
    end_of_block.residual = end_of_block.dresidual = true;
    start_of_block.x2 = start_of_block.addend = true;
    evaluation.training = false;
    for (cases::BatchNormCase& c : std::vector{alone, end_of_block, start_of_block, evaluation}) {
      c.id = "large " + cases::name_of(c);
      all.push_back(c);
    }
  }
  return all;
}

/// The data set's 50,000 images at once.
inline std::vector<cases::AugmentCase> large_augmentations() {
  std::vector<cases::AugmentCase> all;
  for (const DType dtype : float_types) {
    AugmentShape s;
    s.rows = 50000;
    s.height = s.width = 32;
    s.channels = s.out_channels = 3;
    s.crop_padding = 4;
    s.flip = true;
    s.dtype = dtype;
    all.push_back({"large n50000 32x32x3 pad 4 flip", s, 50000});
  }
  return all;
}

inline std::vector<cases::OptimizerCase> large_optimizers() {
  std::vector<cases::OptimizerCase> all;
  for (const bool copy : {false, true}) {
    cases::OptimizerCase c;
    c.n = std::int64_t{1} << 26;
    c.nesterov = true;
    c.copy = copy;
    c.id = "large " + std::to_string(c.n) + " nesterov" + (copy ? " copy" : "");
    all.push_back(c);
  }
  return all;
}

/// A million rows, and a batch so small that only the launch counts.
inline std::vector<cases::LossCase> large_losses() {
  std::vector<cases::LossCase> all;
  for (const int rows : {1000000, 64}) {
    cases::LossCase c;
    c.rows = rows;
    c.classes = 100;
    c.divisor = static_cast<float>(rows);
    c.id = "large " + std::to_string(rows) + " rows of 100 all";
    all.push_back(c);
  }
  return all;
}

inline std::vector<cases::ElementwiseCase> large_elementwise() {
  std::vector<cases::ElementwiseCase> all;
  for (const DType dtype : float_types)
    all.push_back({"large " + std::to_string(std::int64_t{1} << 27), std::int64_t{1} << 27, dtype});
  return all;
}

}  // namespace retort::bench
