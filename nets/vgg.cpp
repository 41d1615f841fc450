#include "nets/vgg.h"

namespace retort {
namespace {

constexpr int widths[] = {64, 128, 256, 512, 512};
constexpr std::size_t pooled_blocks = 3;

}  // namespace

Vgg::Vgg(const std::string& name, ImageFormat input, int classes, int convs_per_block) : Network(name, input, classes) {
  int in = input.channels;
  for (const int width : widths) {
    const std::string prefix = text("block", blocks_.size(), ".");
    std::vector<NormedConv2d>& block = blocks_.emplace_back();
    for (int i = 0; i < convs_per_block; ++i) {
      // The published keys count convolution, batch norm and ReLU in turn.
      block.emplace_back(parameters_, folding_, text(prefix, 3 * i), Conv2dSpec{in, width, 3, 1, 1, true},
                         text(prefix, 3 * i + 1));
      in = width;
    }
  }
  classifier_.emplace(parameters_, "classifier", in, input.auxiliary, classes, LinearInit::small_normal);
}

Var Vgg::forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps) {
  begin_forward(input, taps);
  Var x = input.images;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    for (const NormedConv2d& layer : blocks_[i]) x = layer.with_relu(tape, x, mode);
    tap(taps, i == 0 ? "stem" : text("stage", i), x);
    if (i < pooled_blocks) x = max_pool2d(tape, x, 2, 2);
  }
  x = global_avg_pool(tape, x);
  tap(taps, "pooled", x);
  x = (*classifier_)(tape, x, input.auxiliary);
  tap(taps, "logits", x);
  return x;
}

}  // namespace retort
