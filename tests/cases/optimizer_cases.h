// THE optimizer updates: sizes, gradient types, options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/types.h"

namespace retort::cases {

struct OptimizerCase {
  std::string id;
  std::int64_t n = 0;
  DType gradient = DType::f32;
  float momentum = 0.9F;
  bool nesterov = false;
  float weight_decay = 0;
  float gradient_scale = 1;
  bool copy = false;  ///< a bf16 working copy is kept
  std::int64_t step = 0;
};

inline std::vector<OptimizerCase> optimizer_cases() {
  std::vector<OptimizerCase> cases;
  unsigned turn = 0;
  for (const std::int64_t n : {1, 2, 15, 16, 17, 33, 1000, 70001})
    for (const DType dtype : {DType::f32, DType::bf16})
      for (const float momentum : {0.0F, 0.9F}) {
        OptimizerCase c;
        c.n = n;
        c.gradient = dtype;
        c.momentum = momentum;
        c.nesterov = turn % 2 == 1;
        c.weight_decay = turn % 3 == 0 ? 0 : 5e-3F;
        c.gradient_scale = turn % 4 == 3 ? 0.25F : 1;
        c.copy = turn % 5 < 3;
        c.step = turn % 3 == 2 ? 1000 : turn % 3;
        c.id = std::to_string(n) + (dtype == DType::bf16 ? " bf16" : " f32") + " momentum " +
               std::to_string(momentum).substr(0, 3) + (c.nesterov ? " nesterov" : "") +
               (c.weight_decay > 0 ? " decay" : "") + (c.gradient_scale < 1 ? " clipped" : "") +
               (c.copy ? " copy" : "") + " step " + std::to_string(c.step);
        cases.push_back(c);
        ++turn;
      }
  return cases;
}

}  // namespace retort::cases
