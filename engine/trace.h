// What a forward pass consists of: each op of ops.h reports its call to the trace on its tape, if there is one. From it
// a network can be written down for other programs, as it is computed here.
#pragma once

#include <vector>

#include "engine/ops.h"

namespace retort {

/// One call. What an op does not have is null, false or zero.
struct TracedOp {
  enum class Kind { conv2d, linear, batch_norm, relu, add, max_pool2d, avg_pool2d, global_avg_pool, flatten };
  Kind kind;
  Var x;                            ///< what it reads
  Var y;                            ///< what it makes
  Var x2;                           ///< what is added to x before anything else: add, add_batch_norm
  Var sum;                          ///< x + x2 where that is a result of its own: add_batch_norm
  Var residual;                     ///< what is added to the result before the ReLU
  bool relu;                        ///< the last thing done to the result
  Var weight, bias;                 ///< conv2d, linear
  const FoldedConvolution* folded;  ///< conv2d: in place of weight and bias
  BatchNormState norm;              ///< batch_norm
  int kernel, stride, padding;      ///< windows: kernel is for pools
};

}  // namespace retort
