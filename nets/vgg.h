// VGG for small images, as the distillation literature defines it: five blocks of 3x3 convolutions (with bias), batch
// norm and ReLU, a 2x2 max pool behind the first three, global average pool, one linear layer.
// Taps: stem (block 0), stage1..4 (blocks 1 to 4), all behind the ReLU and before the pool; pooled, logits.
#pragma once

#include <optional>

#include "nets/layers.h"
#include "nets/network.h"

namespace retort {

class Vgg final : public Network {
 public:
  Vgg(const std::string& name, ImageFormat input, int classes, int convs_per_block);
  Var forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) override;
  std::vector<std::string> tap_names() const override {
    return {"stem", "stage1", "stage2", "stage3", "stage4", "pooled", "logits"};
  }

 private:
  std::vector<std::vector<NormedConv2d>> blocks_;
  std::optional<JoinedLinear> classifier_;  // registered behind the blocks
};

}  // namespace retort
