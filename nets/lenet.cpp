#include "nets/lenet.h"

namespace retort {
namespace {

/// The image behind both pools.
FlattenedImage flattened(ImageFormat input) {
  const auto extent = [](int size) { return (size / 2 - 4) / 2; };
  return {extent(input.height), extent(input.width)};
}

Conv2dSpec conv(int in, int out, int padding) {
  return {in, out, 5, 1, padding, true, WeightInit::torch_default};
}

// ReLU behind the pool instead of before it: both are monotone, so they commute, gradients included, and the ReLU has
// a quarter of the work.
Var pool_and_relu(Tape& tape, const Var& x) {
  return relu(tape, max_pool2d(tape, x, 2, 2));
}

FlattenedImage flattened_gaze(ImageFormat input) {
  const auto extent = [](int size) { return ((size - 4) / 2 - 4) / 2; };
  return {extent(input.height), extent(input.width)};
}

}  // namespace

LeNet::LeNet(const std::string& name, ImageFormat input, int classes, LeNetWidths widths)
    : Network(name, input, classes),
      conv1_(parameters_, "conv1", conv(input.channels, widths.conv1, 2)),
      conv2_(parameters_, "conv2", conv(widths.conv1, widths.conv2, 0)),
      fc1_(parameters_, "fc1", widths.conv2 * flattened(input).height * flattened(input).width, 120,
           LinearInit::torch_default, flattened(input)),
      fc2_(parameters_, "fc2", 120, 84),
      fc3_(parameters_, "fc3", 84, input.auxiliary, classes) {}

Var LeNet::forward(Tape& tape, const ForwardInput& input, ForwardMode /*mode*/, Taps* taps) {
  begin_forward(input, taps);
  Var x = pool_and_relu(tape, conv1_(tape, input.images));
  tap(taps, "stage1", x);
  x = pool_and_relu(tape, conv2_(tape, x));
  tap(taps, "stage2", x);
  x = relu(tape, fc1_(tape, flatten(tape, x)));
  x = relu(tape, fc2_(tape, x));
  tap(taps, "pooled", x);
  x = fc3_(tape, x, input.auxiliary);
  tap(taps, "logits", x);
  return x;
}

GazeLeNet::GazeLeNet(const std::string& name, ImageFormat input, int classes)
    : Network(name, input, classes),
      conv1_(parameters_, "conv1", conv(input.channels, 20, 0)),
      conv2_(parameters_, "conv2", conv(20, 50, 0)),
      fc1_(parameters_, "fc1", 50 * flattened_gaze(input).height * flattened_gaze(input).width, 500,
           LinearInit::torch_default, flattened_gaze(input)),
      fc2_(parameters_, "fc2", 500, input.auxiliary, classes) {}

Var GazeLeNet::forward(Tape& tape, const ForwardInput& input, ForwardMode /*mode*/, Taps* taps) {
  begin_forward(input, taps);
  Var x = max_pool2d(tape, conv1_(tape, input.images), 2, 2);
  tap(taps, "stage1", x);
  x = max_pool2d(tape, conv2_(tape, x), 2, 2);
  tap(taps, "stage2", x);
  x = relu(tape, fc1_(tape, flatten(tape, x)));
  tap(taps, "pooled", x);
  x = fc2_(tape, x, input.auxiliary);
  tap(taps, "logits", x);
  return x;
}

}  // namespace retort
