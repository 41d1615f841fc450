// Shared by the op files: allocating results and gradients.
#pragma once

#include "engine/trace.h"

namespace retort::detail {

/// "layer1.0.conv1" of the parameter "layer1.0.conv1.weight".
inline std::string layer_of(const Var& parameter) {
  return parameter->name.substr(0, parameter->name.rfind('.'));
}

/// An activation of the given shape; `requires_grad` as the op records or not.
inline Var result(Tape& tape, const Shape& shape, DType dtype, bool requires_grad, const char* who) {
  return tape.variable(tape.context().make(shape, dtype, who), requires_grad, who);
}

/// A buffer for the gradient of `variable`, in its shape and dtype.
inline Tensor gradient_like(Tape& tape, const Variable& variable, const char* who) {
  return tape.context().make(variable.shape(), variable.value.dtype(), who);
}

/// What an op reads and writes; tensors that are not there count nothing.
template <typename... Tensors>
void moves(Context& context, const Tensors&... tensors) {
  context.count_bytes((std::size_t{0} + ... + (tensors ? tensors.bytes() : 0)));
}

/// Reports a call to the tape's trace, if there is one; `fill` adds what the op has besides x and y.
template <typename Fill>
void trace(Tape& tape, TracedOp::Kind kind, const Var& x, const Var& y, const Fill& fill) {
  if (tape.trace() == nullptr) return;
  TracedOp op{};
  op.kind = kind;
  op.x = x;
  op.y = y;
  fill(op);
  tape.trace()->push_back(std::move(op));
}
inline void trace(Tape& tape, TracedOp::Kind kind, const Var& x, const Var& y) {
  trace(tape, kind, x, y, [](TracedOp&) {});
}

inline const float* f32_or_null(const Var& parameter) { return parameter ? parameter->value.f32() : nullptr; }

inline void check_rank(const char* op, const Var& x, int rank) {
  RETORT_CHECK(x->shape().rank() == rank, op, ": expected ", rank, " extents, got ", x->shape());
}

}  // namespace retort::detail
