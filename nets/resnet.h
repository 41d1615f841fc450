// ResNets of basic blocks: the CIFAR family resnetD (three stages, D = 6n + 2) and resnet18 with a 3x3 stem (four
// stages, no max pool). Post-activation: y = relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)).
// Taps: stem, stage1.. (behind the ReLU), pooled, logits.
#pragma once

#include <optional>

#include "nets/layers.h"
#include "nets/network.h"

namespace retort {

struct ResNetPlan {
  int stem = 16;
  std::vector<int> widths;  ///< one a stage; every stage but the first halves the image
  int blocks_per_stage = 1;
};

class ResNet final : public Network {
 public:
  ResNet(const std::string& name, ImageFormat input, int classes, const ResNetPlan& plan);
  Var forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) override;
  std::vector<std::string> tap_names() const override;

 private:
  struct Block {
    Block(ParameterStore& store, Folding& folding, const std::string& name, int in, int out, int stride);
    Var operator()(Tape& tape, const Var& x, ForwardMode mode) const;

    NormedConv2d conv1, conv2;
    std::optional<NormedConv2d> shortcut;  ///< where the shape changes
  };

  NormedConv2d conv1_;
  std::vector<std::vector<Block>> stages_;
  std::optional<JoinedLinear> fc_;  // registered last, behind the stages
};

}  // namespace retort
