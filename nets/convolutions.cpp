#include "nets/convolutions.h"

#include <algorithm>

namespace retort {

std::vector<Conv2dShape> convolutions_of(Network& network, int batch) {
  std::vector<Conv2dShape> all;
  Context context(Device::cpu, Precision::fp32);
  context.begin_measuring();
  context.observe_convolutions(&all);
  network.parameters().materialise(context, 0, Trainable::no, Moments::none);
  Tape tape(context, Tape::Recording::off);
  const StepState state;
  network.forward(tape, blank_input(tape, network.input(), batch, &state), ForwardMode::evaluation());
  std::vector<Conv2dShape> different;
  for (const Conv2dShape& shape : all) {
    if (std::find(different.begin(), different.end(), shape) == different.end()) different.push_back(shape);
  }
  return different;
}

}  // namespace retort
