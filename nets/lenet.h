// LeNet-5 and its half: conv 5x5 (padding 2), pool, conv 5x5, pool, three linear layers, ReLU throughout.
// Taps: stage1 and stage2 (behind pool and ReLU), pooled (the last hidden layer), logits.
#pragma once

#include "nets/layers.h"
#include "nets/network.h"

namespace retort {

struct LeNetWidths {
  int conv1, conv2;
};

class LeNet final : public Network {
 public:
  LeNet(const std::string& name, ImageFormat input, int classes, LeNetWidths widths);
  Var forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) override;
  std::vector<std::string> tap_names() const override { return {"stage1", "stage2", "pooled", "logits"}; }

  static constexpr int smallest_image = 12;  ///< smaller ones leave nothing behind the second pool

 private:
  Conv2d conv1_, conv2_;
  Linear fc1_, fc2_;
  JoinedLinear fc3_;
};

/// LeNet as the published baseline of MPIIGaze has it (hysts' pytorch_mpiigaze): conv 5x5 and pool twice, 20 and 50 wide,
/// without ReLU or padding; a hidden layer of 500; the head's pose joins the last. Taps: stage1, stage2, pooled, logits.
class GazeLeNet final : public Network {
 public:
  GazeLeNet(const std::string& name, ImageFormat input, int classes);
  Var forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) override;
  std::vector<std::string> tap_names() const override { return {"stage1", "stage2", "pooled", "logits"}; }

  static constexpr int smallest_image = 16;

 private:
  Conv2d conv1_, conv2_;
  Linear fc1_;
  JoinedLinear fc2_;
};

}  // namespace retort
