// Batches and ranges of nothing are left alone: a CUDA launch without blocks would be an error.
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

StepState some_state() {
  StepState state;
  state.gradient_square_sum = 4;
  state.divisor = 3;
  return state;
}

BACKEND_TEST("element-wise kernels, pooling and gathering take empty operands") {
  NEEDS(add);
  const DeviceStruct<StepState> state(backend, some_state());
  const Buffer in = input(backend, DType::f32, {});
  const Buffer ints = input(backend, DType::i32, {});
  const Buffer bytes = input(backend, DType::u8, {});
  const Buffer out = output(backend, DType::f32, 0);
  const Buffer labels = output(backend, DType::i32, 0);
  const Launch at;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    backend.relu_forward(at, dtype, 0, in.data(), out.data());
    backend.relu_backward(at, dtype, 0, in.data(), in.data(), out.data());
    backend.add(at, dtype, 0, in.data(), in.data(), out.data());
    backend.convert(at, 0, dtype, in.data(), DType::f32, out.data());
    backend.widen_all(at, nullptr, 0);
    const WidenedRange nothing{in.as<bfloat16>(), out.f32(), 0};
    backend.widen_all(at, &nothing, 1);
    backend.dropout(at, dtype, 0, 10, 0.5F, 1, ints.i32(), state.data(), in.data(), out.data());
    const Pool2dShape pool{0, 4, 4, 8, 2, 2, dtype};
    backend.max_pool2d_forward(at, pool, in.data(), out.data());
    backend.max_pool2d_backward(at, pool, in.data(), in.data(), out.data());
    backend.avg_pool2d_forward(at, pool, in.data(), out.data());
    backend.avg_pool2d_backward(at, pool, in.data(), out.data());
    backend.global_avg_pool_forward(at, 0, 16, 8, dtype, in.data(), out.f32());
    backend.global_avg_pool_backward(at, 0, 16, 8, dtype, in.f32(), out.data());
  }
  AugmentShape augment;
  augment.height = augment.width = 4;
  augment.channels = augment.out_channels = 3;
  BatchColumns columns;
  columns.labels_from = ints.i32();
  columns.labels = labels.i32();
  columns.floats[1] = {in.f32(), out.f32(), 5};
  backend.gather_augment(at, augment, bytes.as<std::uint8_t>(), ints.i32(), columns, state.data(), out.data());
  backend.gather_floats(at, 0, 5, in.f32(), ints.i32(), out.f32());
}

BACKEND_TEST("losses take batches of no rows") {
  NEEDS(regulated_cross_entropy);
  const DeviceStruct<StepState> state(backend, some_state(), Buffer::Use::input);
  const Buffer in = input(backend, DType::f32, {});
  const Buffer ints = input(backend, DType::i32, {});
  const Buffer out = output(backend, DType::f32, 0);
  const Buffer flags = output(backend, DType::i32, 0);
  const LossRows rows{out.f32(), out.f32(), flags.i32(), flags.i32()};
  backend.regulated_cross_entropy({}, {}, 0, 10, 0.1F, in.f32(), ints.i32(), ints.i32(), state.data(), rows, out.f32());
  backend.divide_by_participants({}, 0, 10, ints.i32(), state.data(), out.f32());
  backend.distillation_loss({}, {}, {}, 0, 10, in.f32(), in.f32(), ints.i32(), ints.i32(), nullptr, state.data(), rows,
                            nullptr, nullptr, out.f32());
  backend.regulated_squared_error({}, {}, 0, 10, in.f32(), in.f32(), ints.i32(), state.data(), rows, out.f32());
  backend.gaussian_loss({}, {}, 0.5F, 0, 2, in.f32(), in.f32(), in.f32(), ints.i32(), ints.i32(), nullptr, state.data(),
                        rows, nullptr, out.f32());
}

BACKEND_TEST("the end of a step without rows or parameters counts the step, and nothing else") {
  NEEDS(commit_step);
  const DeviceStruct<StepState> state(backend, some_state());
  const Buffer in = input(backend, DType::f32, {});
  const Workspace workspace(backend, backend.gradient_norm_workspace(0));
  backend.gradient_norm(workspace.launch(), 0, DType::f32, in.data(), false, state.data());
  CHECK(state.get().gradient_square_sum == 4);
  backend.judge_step({}, 0, in.f32(), state.data());
  CHECK(state.get().gradient_norm == 2);
  CHECK(state.get().verdict == static_cast<std::int32_t>(StepVerdict::applied));
  backend.sgd_update({}, {}, true, state.data());
  backend.adamw_update({}, {}, 0.9F, 0.999F, 1e-8F, state.data());
  backend.commit_step({}, {}, state.data());
  CHECK(state.get().step == 1);
  CHECK(state.get().rows == 0);
  CHECK(state.get().steps_without_participants == 1);
  backend.gradient_norm(workspace.launch(), 0, DType::f32, in.data(), true, state.data());
  CHECK(state.get().gradient_square_sum == 0);
}

BACKEND_TEST("the queue takes a batch of no rows, and gives one") {
  NEEDS(queue_push);
  const Values waiting{7, 8, 9};
  const Buffer queue = inout(backend, DType::i32, waiting);
  const Buffer count = inout(backend, DType::i32, {3});
  const Buffer none = input(backend, DType::i32, {});
  const Buffer out = output(backend, DType::i32, 0);
  const DeviceStruct<StepState> state(backend, some_state());
  backend.queue_push({}, 0, none.i32(), none.i32(), state.data(), queue.i32(), count.i32());
  backend.queue_pop({}, 0, queue.i32(), count.i32(), out.i32());
  CHECK(queue.values() == waiting);
  CHECK(count.values()[0] == 3);
}

}  // namespace
}  // namespace retort::test
