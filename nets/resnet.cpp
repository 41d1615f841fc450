#include "nets/resnet.h"

namespace retort {

ResNet::Block::Block(ParameterStore& store, Folding& folding, const std::string& name, int in, int out, int stride)
    : conv1(store, folding, name + ".conv1", {in, out, 3, stride, 1}, name + ".bn1"),
      conv2(store, folding, name + ".conv2", {out, out, 3, 1, 1}, name + ".bn2") {
  if (stride == 1 && in == out) return;
  shortcut.emplace(store, folding, name + ".downsample.0", Conv2dSpec{in, out, 1, stride, 0}, name + ".downsample.1");
}

Var ResNet::Block::operator()(Tape& tape, const Var& x, ForwardMode mode) const {
  const Var y = conv1.with_relu(tape, x, mode);
  const Var residual = shortcut ? (*shortcut)(tape, x, mode) : x;
  return conv2.with_residual_and_relu(tape, y, residual, mode);
}

ResNet::ResNet(const std::string& name, ImageFormat input, int classes, const ResNetPlan& plan)
    : Network(name, input, classes),
      conv1_(parameters_, folding_, "conv1", {input.channels, plan.stem, 3, 1, 1}, "bn1") {
  int in = plan.stem;
  for (std::size_t stage = 0; stage < plan.widths.size(); ++stage) {
    std::vector<Block>& blocks = stages_.emplace_back();
    for (int i = 0; i < plan.blocks_per_stage; ++i) {
      const std::string prefix = text("layer", stage + 1, ".", i);
      blocks.emplace_back(parameters_, folding_, prefix, in, plan.widths[stage], stage > 0 && i == 0 ? 2 : 1);
      in = plan.widths[stage];
    }
  }
  fc_.emplace(parameters_, "fc", in, input.auxiliary, classes);
}

std::vector<std::string> ResNet::tap_names() const {
  std::vector<std::string> names{"stem"};
  for (std::size_t stage = 1; stage <= stages_.size(); ++stage) names.push_back(text("stage", stage));
  names.insert(names.end(), {"pooled", "logits"});
  return names;
}

Var ResNet::forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) {
  begin_forward(input, taps);
  Var x = conv1_.with_relu(tape, input.images, mode);
  tap(taps, "stem", x);
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    for (const Block& block : stages_[stage]) x = block(tape, x, mode);
    tap(taps, text("stage", stage + 1), x);
  }
  x = global_avg_pool(tape, x);
  tap(taps, "pooled", x);
  x = (*fc_)(tape, x, input.auxiliary);
  tap(taps, "logits", x);
  return x;
}

}  // namespace retort
