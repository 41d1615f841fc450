// THE sizes of elementwise kernels: empty, below and around every vector width, and long enough for several threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/types.h"

namespace retort::cases {

struct ElementwiseCase {
  std::string id;
  std::int64_t n = 0;
  DType dtype = DType::f32;
};

struct DropoutCase {
  std::string id;
  int rows = 0, features = 0;
  float p = 0;
  std::uint32_t layer = 0;
  DType dtype = DType::f32;
};

inline std::vector<ElementwiseCase> elementwise_cases() {
  std::vector<ElementwiseCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const std::int64_t n : {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 1000, 40001})
      cases.push_back({std::to_string(n) + (dtype == DType::bf16 ? " bf16" : " f32"), n, dtype});
  return cases;
}

inline std::vector<DropoutCase> dropout_cases() {
  std::vector<DropoutCase> cases;
  std::uint32_t layer = 0;
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const float p : {0.0F, 0.1F, 0.5F, 0.9F})
      for (const int features : {1, 3, 4, 5, 18, 64, 1027}) {
        const int rows = features % 5 + 1;
        cases.push_back({std::to_string(rows) + " rows of " + std::to_string(features) + " p " + std::to_string(p) +
                             (dtype == DType::bf16 ? " bf16" : " f32"),
                         rows, features, p, layer, dtype});
        layer = (layer + 51) % 256;
      }
  return cases;
}

}  // namespace retort::cases
