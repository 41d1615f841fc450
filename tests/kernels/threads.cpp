// The handwritten kernels give the same bits whatever the number of threads.
#include "tests/kernels/batch_norm_operands.h"

namespace retort::test {
namespace {

/// Runs a kernel at several thread counts and compares everything it wrote.
template <typename Run>
void check_same_bits(const Backend& backend, const Run& run) {
  const int before = cpu::threads();
  backend.set_threads(1);
  const auto alone = run();
  for (const int count : {2, 3, 5}) {
    CAPTURE(count);
    backend.set_threads(count);
    const bool same = run() == alone;
    CHECK(same);
  }
  backend.set_threads(before);
}

BACKEND_TEST("the gradient norm has the same bits for any number of threads") {
  NEEDS(gradient_norm);
  NEEDS(set_threads);
  for (const std::int64_t n : {1000, 70000, 1000001}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Buffer gradient = input(backend, dtype, normal_values(n, 1, dtype));
      check_same_bits(backend, [&] {
        const DeviceStruct<StepState> state(backend, {});
        const Workspace workspace(backend, backend.gradient_norm_workspace(n));
        backend.gradient_norm(workspace.launch(), n, dtype, gradient.data(), true, state.data());
        return state.get().gradient_square_sum;
      });
    }
  }
}

BACKEND_TEST("batch norm has the same bits for any number of threads, forward and backward") {
  NEEDS(batch_norm_forward_training);
  NEEDS(set_threads);
  for (const int channels : {3, 16, 64}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      cases::BatchNormCase c;
      c.shape = cases::batch_norm_shape(8192, channels, dtype, true);
      const BatchNormOperands o(c);
      const BatchNormShape& s = c.shape;
      const Buffer x = input(backend, dtype, o.x);
      const Buffer dy = input(backend, dtype, o.dy);
      const Buffer gamma = input(backend, DType::f32, o.gamma);
      const Buffer beta = input(backend, DType::f32, o.beta);
      check_same_bits(backend, [&] {
        const Workspace workspace(backend, backend.batch_norm_workspace(s));
        const Buffer y = output(backend, dtype, o.x.size());
        const Buffer dx = output(backend, dtype, o.x.size());
        const Buffer channel = output(backend, DType::f32, 4UL * channels);
        float* rows[4];
        for (int i = 0; i < 4; ++i) rows[i] = channel.f32() + 1L * i * channels;
        BatchNormForward forward;
        forward.x = x.data();
        forward.gamma = gamma.f32();
        forward.beta = beta.f32();
        forward.save_mean = rows[0];
        forward.save_rstd = rows[1];
        forward.y = y.data();
        backend.batch_norm_forward_training(workspace.launch(), s, forward);
        BatchNormBackward backward;
        backward.dy = dy.data();
        backward.sum = x.data();
        backward.y = y.data();
        backward.gamma = gamma.f32();
        backward.save_mean = rows[0];
        backward.save_rstd = rows[1];
        backward.dx = dx.data();
        backward.dgamma = rows[2];
        backward.dbeta = rows[3];
        backend.batch_norm_backward_training(workspace.launch(), s, backward);
        return std::vector{y.bytes(), dx.bytes(), channel.bytes()};
      });
    }
  }
}

BACKEND_TEST("pooling and dropout have the same bits for any number of threads") {
  NEEDS(global_avg_pool_forward);
  NEEDS(set_threads);
  const Values values = normal_values(16UL * 64 * 64, 1);
  const Buffer x = input(backend, DType::f32, values);
  const Buffer samples = input(backend, DType::i32, random_integers(16, 2, 1000));
  const DeviceStruct<StepState> state(backend, {}, Buffer::Use::input);
  check_same_bits(backend, [&] {
    const Buffer means = output(backend, DType::f32, 16UL * 64);
    backend.global_avg_pool_forward({}, 16, 64, 64, DType::f32, x.data(), means.f32());
    const Buffer dropped = output(backend, DType::f32, values.size());
    backend.dropout({}, DType::f32, 16, 64 * 64, 0.5F, 3, samples.i32(), state.data(), x.data(), dropped.data());
    return std::vector{means.bytes(), dropped.bytes()};
  });
}

}  // namespace
}  // namespace retort::test
