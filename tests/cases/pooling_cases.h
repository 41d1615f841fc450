// THE pooling windows.
#pragma once

#include <string>
#include <vector>

#include "kernels/pooling.h"

namespace retort::cases {

struct PoolingCase {
  std::string id;
  Pool2dShape shape;
};

struct GlobalPoolingCase {
  std::string id;
  int batch = 0, positions = 0, channels = 0;
  DType dtype = DType::f32;
};

inline std::vector<PoolingCase> pooling_cases() {
  std::vector<PoolingCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const Pool2dShape& base :
         {Pool2dShape{1, 2, 2, 1, 2, 2}, Pool2dShape{2, 8, 6, 3, 2, 2}, Pool2dShape{3, 7, 9, 5, 2, 2},
          Pool2dShape{2, 8, 8, 16, 3, 2}, Pool2dShape{1, 9, 7, 33, 3, 1}, Pool2dShape{2, 9, 9, 4, 2, 3},
          Pool2dShape{1, 5, 5, 7, 5, 5}, Pool2dShape{2, 4, 4, 8, 1, 1}, Pool2dShape{8, 16, 16, 64, 2, 2}}) {
      Pool2dShape s = base;
      s.dtype = dtype;
      cases.push_back({"n" + std::to_string(s.batch) + " " + std::to_string(s.height) + "x" + std::to_string(s.width) +
                           "x" + std::to_string(s.channels) + " k" + std::to_string(s.kernel) + " s" +
                           std::to_string(s.stride) + (dtype == DType::bf16 ? " bf16" : " f32"),
                       s});
    }
  return cases;
}

inline std::vector<GlobalPoolingCase> global_pooling_cases() {
  std::vector<GlobalPoolingCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const GlobalPoolingCase& base :
         {GlobalPoolingCase{"", 1, 1, 1}, GlobalPoolingCase{"", 3, 49, 5}, GlobalPoolingCase{"", 8, 64, 64},
          GlobalPoolingCase{"", 2, 16, 33}, GlobalPoolingCase{"", 5, 4, 640}}) {
      GlobalPoolingCase c = base;
      c.dtype = dtype;
      c.id = "n" + std::to_string(c.batch) + " " + std::to_string(c.positions) + " positions of " +
             std::to_string(c.channels) + (dtype == DType::bf16 ? " bf16" : " f32");
      cases.push_back(c);
    }
  return cases;
}

}  // namespace retort::cases
