// What a step costs by its definition: multiply-accumulates, and bytes with each operand of each op counted once.
#include "engine/ops.h"
#include "tests/support/device_tensors.h"

namespace retort::test {

BACKEND_TEST("accounting: bytes and multiply-accumulates of a convolution with ReLU, forward and backward") {
  Context context(backend.device);
  constexpr int image = 50, filter = 72, result = 36;
  const Var weight = parameter(device_tensor(backend.device, {4, 3, 3, 2}, Values(filter, 0.1)));
  const Var x = leaf(device_tensor(backend.device, {1, 5, 5, 2}, Values(image, 1)), false);
  Tape tape(context);
  const Var y = relu(tape, conv2d(tape, x, weight, nullptr, {1, 0}));
  CHECK(context.bytes() == 4 * (image + filter + result + 2 * result));
  CHECK(context.macs() == result * filter / 4);
  const double forward = context.bytes();
  tape.deliver(y, device_tensor(backend.device, {1, 3, 3, 4}, Values(result, 1)));
  tape.backward();
  // ReLU reads its result and a gradient and writes one; nobody wants the image's gradient.
  CHECK(context.bytes() - forward == 4 * (3 * result + image + result + filter));
  CHECK(context.macs() == 2 * result * filter / 4);
}

}  // namespace retort::test
