// Batch norm with fixed statistics is a multiplication and an addition a channel, so where nothing but it reads a
// convolution's result the convolution can do both:
//
//     weight' = weight gamma / sqrt(var + epsilon)      bias' = beta + (bias - mean) gamma / sqrt(var + epsilon)
//
// Exact but for rounding. For a network that no longer changes: its next parameters would have to be folded again.
#pragma once

#include <vector>

#include "nets/layers.h"

namespace retort {

/// The foldable convolutions of one network, and their folded parameters once there are any.
class Folding {
 public:
  /// A convolution and the only reader of its result. Its number.
  std::size_t add(const Conv2d& conv, const BatchNorm2d& norm);

  /// Computes all of them from parameters and statistics in force, in double, into memory of their own. Throws
  /// Error(usage) for a network that trains or whose parameters are not there.
  void fold(Context& context);

  /// Null before fold().
  const FoldedConvolution* folded(std::size_t number) const { return folded_.empty() ? nullptr : &folded_[number]; }

 private:
  struct Pair {
    Conv2d conv;
    BatchNorm2d norm;
  };
  std::vector<Pair> pairs_;
  DeviceBlock memory_;
  std::vector<FoldedConvolution> folded_;
};

/// A convolution and the batch norm behind it, as two ops or, where the network is folded, as one: in evaluation, when
/// no gradient has to pass.
class NormedConv2d {
 public:
  NormedConv2d(ParameterStore& store, Folding& folding, const std::string& conv_name, const Conv2dSpec& spec,
               const std::string& norm_name);

  Var operator()(Tape& tape, const Var& x, ForwardMode mode) const { return apply(tape, x, false, nullptr, mode); }
  Var with_relu(Tape& tape, const Var& x, ForwardMode mode) const { return apply(tape, x, true, nullptr, mode); }
  /// relu(bn(conv(x)) + residual)
  Var with_residual_and_relu(Tape& tape, const Var& x, const Var& residual, ForwardMode mode) const {
    return apply(tape, x, true, residual, mode);
  }

 private:
  Var apply(Tape& tape, const Var& x, bool relu, const Var& residual, ForwardMode mode) const;

  Conv2d conv_;
  BatchNorm2d norm_;
  const Folding* folding_;
  std::size_t number_;
};

}  // namespace retort
