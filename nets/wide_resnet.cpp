#include "nets/wide_resnet.h"

namespace retort {

WideResNet::Block::Block(ParameterStore& store, Folding& folding, const std::string& name, int in, int out, int stride)
    : bn1(store, name + ".bn1", in),
      conv1(store, folding, name + ".conv1", {in, out, 3, stride, 1}, name + ".bn2"),
      conv2(store, name + ".conv2", {out, out, 3, 1, 1}) {
  if (in != out) shortcut.emplace(store, name + ".convShortcut", Conv2dSpec{in, out, 1, stride, 0});
}

WideResNet::Addends WideResNet::Block::operator()(Tape& tape, const SumAndNormed& x, ForwardMode mode) const {
  Var y = conv1.with_relu(tape, x.y, mode);
  y = conv2(tape, y);
  return {y, shortcut ? (*shortcut)(tape, x.y) : x.sum};
}

SumAndNormed WideResNet::normed(Tape& tape, const Addends& x, const BatchNorm2d& bn, ForwardMode mode) {
  if (!x.b) return {x.a, bn.with_relu(tape, x.a, mode)};
  return add_batch_norm(tape, x.a, x.b, bn.state(), true, mode);
}

WideResNet::WideResNet(const std::string& name, ImageFormat input, int classes, int depth, int widening)
    : Network(name, input, classes), conv1_(parameters_, "conv1", {input.channels, 16, 3, 1, 1}) {
  int in = 16;
  for (int stage = 0; stage < 3; ++stage) {
    const int out = (16 << stage) * widening;
    std::vector<Block>& blocks = stages_.emplace_back();
    for (int i = 0; i < (depth - 4) / 6; ++i) {
      const std::string prefix = text("block", stage + 1, ".layer.", i);
      blocks.emplace_back(parameters_, folding_, prefix, in, out, stage > 0 && i == 0 ? 2 : 1);
      in = out;
    }
  }
  bn1_.emplace(parameters_, "bn1", in);
  fc_.emplace(parameters_, "fc", in, input.auxiliary, classes, LinearInit::zero_bias);
}

Var WideResNet::forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) {
  begin_forward(input, taps);
  Addends x{conv1_(tape, input.images), nullptr};
  tap(taps, "stem", x.a);
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    for (std::size_t i = 0; i < stages_[stage].size(); ++i) {
      const Block& block = stages_[stage][i];
      const SumAndNormed in = normed(tape, x, block.bn1, mode);
      // A stage's output exists as a tensor only here, where its reader adds it up.
      if (stage > 0 && i == 0) tap(taps, text("stage", stage), in.sum);
      x = block(tape, in, mode);
    }
  }
  const SumAndNormed last = normed(tape, x, *bn1_, mode);
  tap(taps, text("stage", stages_.size()), last.sum);
  Var y = global_avg_pool(tape, last.y);
  tap(taps, "pooled", y);
  y = (*fc_)(tape, y, input.auxiliary);
  tap(taps, "logits", y);
  return y;
}

}  // namespace retort
