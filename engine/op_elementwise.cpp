// defines: relu, add, flatten, dropout
#include "engine/op_support.h"
#include "kernels/elementwise.h"

namespace retort {

Var relu(Tape& tape, const Var& x) {
  const DType dtype = x->value.dtype();
  const bool records = tape.records(x);
  Var y = detail::result(tape, x->shape(), dtype, records, "relu");
  RETORT_LAUNCH(tape.context(), 0, relu_forward, dtype, x->value.count(), x->value.data(), y->value.data());
  detail::moves(tape.context(), x->value, y->value);
  detail::trace(tape, TracedOp::Kind::relu, x, y);
  if (!records) return y;
  // Only the output is needed: it is positive exactly where the input was.
  tape.record("relu", [&tape, dtype, x, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    Tensor dx = dy.unshared() ? dy : detail::gradient_like(tape, *x, "relu gradient");
    RETORT_LAUNCH(tape.context(), 0, relu_backward, dtype, dy.count(), dy.data(), y->value.data(), dx.data());
    detail::moves(tape.context(), dy, y->value, dx);
    tape.deliver(x, std::move(dx));
  });
  return y;
}

Var add(Tape& tape, const Var& a, const Var& b) {
  RETORT_CHECK(a->shape() == b->shape() && a->value.dtype() == b->value.dtype(), "add: ", a->shape(), " + ",
               b->shape());
  const bool records = tape.records(a, b);
  Var sum = detail::result(tape, a->shape(), a->value.dtype(), records, "add");
  RETORT_LAUNCH(tape.context(), 0, add, a->value.dtype(), a->value.count(), a->value.data(), b->value.data(),
                sum->value.data());
  detail::moves(tape.context(), a->value, b->value, sum->value);
  detail::trace(tape, TracedOp::Kind::add, a, sum, [&](TracedOp& op) { op.x2 = b; });
  if (!records) return sum;
  tape.record("add", [&tape, a, b, sum] {
    const Tensor dsum = tape.take_gradient(*sum);
    if (!dsum) return;
    tape.deliver(a, dsum);
    tape.deliver(b, dsum);
  });
  return sum;
}

Var flatten(Tape& tape, const Var& x) {
  const Shape flat{x->shape()[0], x->shape()[0] == 0 ? 0 : x->value.count() / x->shape()[0]};
  const bool records = tape.records(x);
  const DType dtype = x->value.dtype();
  Var y;
  if (dtype == DType::f32) {
    y = tape.variable(x->value.reshaped(flat), records, "flatten");
  } else {
    y = detail::result(tape, flat, DType::f32, records, "flatten");
    RETORT_LAUNCH(tape.context(), 0, convert, x->value.count(), dtype, x->value.data(), DType::f32, y->value.data());
    detail::moves(tape.context(), x->value, y->value);
  }
  detail::trace(tape, TracedOp::Kind::flatten, x, y);
  if (!records) return y;
  tape.record("flatten", [&tape, dtype, x, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    if (dtype == DType::f32) return tape.deliver(x, dy.reshaped(x->shape()));
    Tensor dx = detail::gradient_like(tape, *x, "flatten gradient");
    RETORT_LAUNCH(tape.context(), 0, convert, dy.count(), DType::f32, dy.data(), dtype, dx.data());
    detail::moves(tape.context(), dy, dx);
    tape.deliver(x, std::move(dx));
  });
  return y;
}

Var dropout(Tape& tape, const Var& x, float p, std::uint32_t layer, const Tensor& samples, const StepState* state,
            ForwardMode mode) {
  RETORT_CHECK(p >= 0 && p < 1, "dropout: probability ", p, " is not in [0, 1)");
  if (!mode.dropout || p == 0) return x;
  RETORT_CHECK(samples.shape() == Shape({x->shape()[0]}), "dropout: ", samples.shape(), " sample indices for ",
               x->shape());
  const DType dtype = x->value.dtype();
  const int rows = x->shape().at(0);
  const int features = rows == 0 ? 0 : static_cast<int>(x->value.count() / rows);
  const bool records = tape.records(x);
  Var y = detail::result(tape, x->shape(), dtype, records, "dropout");
  RETORT_LAUNCH(tape.context(), 0, dropout, dtype, rows, features, p, layer, samples.i32(), state, x->value.data(),
                y->value.data());
  detail::moves(tape.context(), x->value, y->value);
  if (!records) return y;
  tape.record("dropout", [&tape, dtype, rows, features, p, layer, samples, state, x, y] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    Tensor dx = detail::gradient_like(tape, *x, "dropout gradient");
    // The mask is a function of the sample, so the backward pass draws it again.
    RETORT_LAUNCH(tape.context(), 0, dropout, dtype, rows, features, p, layer, samples.i32(), state, dy.data(),
                  dx.data());
    detail::moves(tape.context(), dy, dx);
    tape.deliver(x, std::move(dx));
  });
  return y;
}

}  // namespace retort
