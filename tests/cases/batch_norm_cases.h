// THE batch normalisations: shapes, and which of the optional operands are there.
#pragma once

#include <string>
#include <vector>

#include "kernels/batch_norm.h"

namespace retort::cases {

struct BatchNormCase {
  std::string id;
  BatchNormShape shape;
  bool training = true;
  bool x2 = false, residual = false;  // forward
  bool dy2 = false, addend = false;   // backward, read
  bool dx = true, dresidual = false;  // backward, written
  bool parameters = true;             // backward: dgamma and dbeta wanted
};

inline BatchNormShape batch_norm_shape(std::int64_t rows, int channels, DType dtype, bool relu) {
  BatchNormShape shape;
  shape.rows = rows;
  shape.channels = channels;
  shape.dtype = dtype;
  shape.relu = relu;
  return shape;
}

inline std::string name_of(const BatchNormCase& c) {
  std::string id = std::to_string(c.shape.rows) + " rows of " + std::to_string(c.shape.channels);
  id += c.shape.dtype == DType::bf16 ? " bf16" : " f32";
  id += c.training ? " training" : " evaluation";
  const auto add = [&id](bool has, const char* word) { id += has ? std::string(" ") + word : ""; };
  add(c.shape.relu, "relu");
  add(c.x2, "x2");
  add(c.residual, "residual");
  add(c.dy2, "dy2");
  add(c.addend, "addend");
  add(c.dresidual, "dresidual");
  add(!c.dx, "no-dx");
  add(!c.parameters, "no-parameters");
  return id;
}

/// All combinations of the options at one shape, then all shapes with options in rotation.
inline std::vector<BatchNormCase> batch_norm_cases() {
  std::vector<BatchNormCase> cases;
  const auto push = [&cases](std::int64_t rows, int channels, DType dtype, unsigned bits) {
    BatchNormCase c;
    c.shape = batch_norm_shape(rows, channels, dtype, (bits & 1) != 0);
    c.training = (bits & 2) == 0;
    c.x2 = (bits & 4) != 0;
    c.residual = (bits & 8) != 0;
    c.dy2 = c.x2;
    c.dresidual = c.residual;
    c.addend = (bits & 16) != 0;
    c.dx = (bits & 32) == 0;
    c.parameters = (bits & 64) == 0;
    c.id = name_of(c);
    cases.push_back(c);
  };
  for (unsigned bits = 0; bits < 128; ++bits) {
    push(37, 6, DType::f32, bits);
    push(50, 16, DType::bf16, bits);
  }
  unsigned turn = 0;
  for (const int channels : {1, 3, 6, 16, 33, 64})
    for (const std::int64_t rows : {2, 5, 64, 1000, 4099})
      for (const DType dtype : {DType::f32, DType::bf16}) push(rows, channels, dtype, turn++ * 5 % 32);
  for (const int channels : {1, 3, 16, 33}) push(1, channels, DType::f32, 2 + 1);  // one row, evaluation
  push(300, 640, DType::f32, 1);
  push(300, 130, DType::bf16, 5);
  push(8300, 31, DType::f32, 5);  // more chunks than a GPU adds up in one go, and then in two
  return cases;
}

}  // namespace retort::cases
