// defines: max_pool2d, avg_pool2d, global_avg_pool
#include "engine/op_support.h"
#include "kernels/pooling.h"

namespace retort {
namespace {

Pool2dShape pool_shape(const char* op, const Var& x, int kernel, int stride) {
  detail::check_rank(op, x, 4);
  const Shape& s = x->shape();
  RETORT_CHECK(kernel >= 1 && stride >= 1 && s[1] >= kernel && s[2] >= kernel, op, ": a ", kernel, "x", kernel,
               " window with stride ", stride, " on ", s);
  return {s.at(0), s.at(1), s.at(2), s.at(3), kernel, stride, x->value.dtype()};
}

Shape pooled(const Pool2dShape& s) { return {s.batch, s.out_height(), s.out_width(), s.channels}; }

}  // namespace

Var max_pool2d(Tape& tape, const Var& x, int kernel, int stride) {
  const Pool2dShape shape = pool_shape("max_pool2d", x, kernel, stride);
  const bool records = tape.records(x);
  Var y = detail::result(tape, pooled(shape), shape.dtype, records, "max_pool2d");
  RETORT_LAUNCH(tape.context(), 0, max_pool2d_forward, shape, x->value.data(), y->value.data());
  detail::moves(tape.context(), x->value, y->value);
  detail::trace(tape, TracedOp::Kind::max_pool2d, x, y, [&](TracedOp& op) {
    op.kernel = kernel;
    op.stride = stride;
  });
  if (!records) return y;
  tape.record("max_pool2d", [&tape, shape, x, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    Tensor dx = detail::gradient_like(tape, *x, "max_pool2d gradient");
    const std::size_t scratch = RETORT_BACKEND(tape.context().device(), pool2d_workspace(shape));
    RETORT_LAUNCH(tape.context(), scratch, max_pool2d_backward, shape, x->value.data(), dy.data(), dx.data());
    detail::moves(tape.context(), x->value, dy, dx);
    tape.deliver(x, std::move(dx));
  });
  return y;
}

Var avg_pool2d(Tape& tape, const Var& x, int kernel, int stride) {
  const Pool2dShape shape = pool_shape("avg_pool2d", x, kernel, stride);
  const bool records = tape.records(x);
  Var y = detail::result(tape, pooled(shape), shape.dtype, records, "avg_pool2d");
  RETORT_LAUNCH(tape.context(), 0, avg_pool2d_forward, shape, x->value.data(), y->value.data());
  detail::moves(tape.context(), x->value, y->value);
  detail::trace(tape, TracedOp::Kind::avg_pool2d, x, y, [&](TracedOp& op) {
    op.kernel = kernel;
    op.stride = stride;
  });
  if (!records) return y;
  tape.record("avg_pool2d", [&tape, shape, x, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    Tensor dx = detail::gradient_like(tape, *x, "avg_pool2d gradient");
    const std::size_t scratch = RETORT_BACKEND(tape.context().device(), pool2d_workspace(shape));
    RETORT_LAUNCH(tape.context(), scratch, avg_pool2d_backward, shape, dy.data(), dx.data());
    detail::moves(tape.context(), dy, dx);
    tape.deliver(x, std::move(dx));
  });
  return y;
}

Var global_avg_pool(Tape& tape, const Var& x) {
  detail::check_rank("global_avg_pool", x, 4);
  const int batch = x->shape().at(0);
  const int positions = x->shape().at(1) * x->shape().at(2);
  const int channels = x->shape().at(3);
  const DType dtype = x->value.dtype();
  const bool records = tape.records(x);
  Var y = detail::result(tape, {batch, channels}, DType::f32, records, "global_avg_pool");
  RETORT_LAUNCH(tape.context(), 0, global_avg_pool_forward, batch, positions, channels, dtype, x->value.data(),
                y->value.f32());
  detail::moves(tape.context(), x->value, y->value);
  detail::trace(tape, TracedOp::Kind::global_avg_pool, x, y);
  if (!records) return y;
  tape.record("global_avg_pool", [&tape, batch, positions, channels, dtype, x, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    Tensor dx = detail::gradient_like(tape, *x, "global_avg_pool gradient");
    RETORT_LAUNCH(tape.context(), 0, global_avg_pool_backward, batch, positions, channels, dtype, dy.f32(), dx.data());
    detail::moves(tape.context(), dy, dx);
    tape.deliver(x, std::move(dx));
  });
  return y;
}

}  // namespace retort
