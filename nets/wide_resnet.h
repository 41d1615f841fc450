// Wide residual networks wrn-D-K (arXiv:1605.07146): pre-activation basic blocks, D = 6n + 4, widths 16, 16K, 32K, 64K.
// Taps: stem (the first convolution), stage1..3 (sums, before the next batch norm), pooled, logits.
#pragma once

#include <optional>

#include "nets/layers.h"
#include "nets/network.h"

namespace retort {

class WideResNet final : public Network {
 public:
  WideResNet(const std::string& name, ImageFormat input, int classes, int depth, int widening);
  Var forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) override;
  std::vector<std::string> tap_names() const override {
    return {"stem", "stage1", "stage2", "stage3", "pooled", "logits"};
  }

 private:
  /// A value that may still be two addends: a block's output is only added up inside the batch norm that reads it.
  struct Addends {
    Var a, b;  // b null: the value is a
  };
  /// The sum itself and relu(bn(sum)).
  static SumAndNormed normed(Tape& tape, const Addends& x, const BatchNorm2d& bn, ForwardMode mode);

  struct Block {
    Block(ParameterStore& store, Folding& folding, const std::string& name, int in, int out, int stride);
    /// From the block's input and relu(bn1(input)).
    Addends operator()(Tape& tape, const SumAndNormed& x, ForwardMode mode) const;

    BatchNorm2d bn1;
    NormedConv2d conv1;  ///< and bn2; bn1 reads a sum, so no convolution can take it in
    Conv2d conv2;
    std::optional<Conv2d> shortcut;  ///< convShortcut, where the width changes
  };

  Conv2d conv1_;
  std::vector<std::vector<Block>> stages_;
  std::optional<BatchNorm2d> bn1_;  // registered behind the stages
  std::optional<JoinedLinear> fc_;
};

}  // namespace retort
