// defines: batch_norm, add_batch_norm
#include "engine/op_support.h"

namespace retort {
namespace {

struct Saved {
  Tensor mean, rstd;  // (C)
};

void check_channels(const char* op, const Var& x, const BatchNormState& state) {
  RETORT_CHECK(x->shape().rank() == 4 || x->shape().rank() == 2, op, ": input ", x->shape());
  RETORT_CHECK(state.gamma->shape() == Shape({x->shape()[-1 + x->shape().rank()]}), op, ": input ", x->shape(),
               " against ", state.gamma->shape(), " channels of '", state.gamma->name, "'");
}

BatchNormShape kernel_shape(const Var& x, const BatchNormState& state, bool relu) {
  const int channels = state.gamma->shape().at(0);
  return {x->value.count() / channels, channels, x->value.dtype(), relu, state.epsilon, state.momentum};
}

/// Runs the forward kernel the mode asks for; returns what the backward pass needs.
Saved forward(Context& context, const BatchNormShape& shape, const BatchNormState& state, ForwardMode mode,
              BatchNormForward args) {
  Saved saved{context.make({shape.channels}, DType::f32, "batch_norm statistics"),
              context.make({shape.channels}, DType::f32, "batch_norm statistics")};
  args.gamma = state.gamma->value.f32();
  args.beta = state.beta->value.f32();
  args.save_mean = saved.mean.f32();
  args.save_rstd = saved.rstd.f32();
  const std::size_t scratch = RETORT_BACKEND(context.device(), batch_norm_workspace(shape));
  if (!mode.batch_statistics) {
    args.running_mean = state.running_mean.f32();
    args.running_var = state.running_var.f32();
    RETORT_LAUNCH(context, scratch, batch_norm_forward_evaluation, shape, args);
    return saved;
  }
  RETORT_CHECK(shape.rows > 1, "batch_norm: batch statistics need more than one value per channel");
  if (mode.update_statistics) {
    args.running_mean = state.pending_mean.f32();
    args.running_var = state.pending_var.f32();
    args.batches_tracked = state.pending_batches.f32();
  }
  RETORT_LAUNCH(context, scratch, batch_norm_forward_training, shape, args);
  return saved;
}

/// The part of the backward pass that both forms share; fills in parameters and statistics and launches.
void backward(Tape& tape, const BatchNormShape& shape, const BatchNormState& state, ForwardMode mode,
              const Saved& saved, BatchNormBackward args) {
  Context& context = tape.context();
  args.gamma = state.gamma->value.f32();
  args.save_mean = saved.mean.f32();
  args.save_rstd = saved.rstd.f32();
  const std::size_t scratch = RETORT_BACKEND(context.device(), batch_norm_workspace(shape));
  const auto launch = [&] {
    if (mode.batch_statistics) {
      RETORT_LAUNCH(context, scratch, batch_norm_backward_training, shape, args);
    } else {
      RETORT_LAUNCH(context, scratch, batch_norm_backward_evaluation, shape, args);
    }
  };
  const auto with_beta = [&] {
    if (!state.beta->requires_grad) return launch();
    tape.write_parameter_gradient(*state.beta, [&](float* dbeta) {
      args.dbeta = dbeta;
      launch();
    });
  };
  if (!state.gamma->requires_grad) return with_beta();
  tape.write_parameter_gradient(*state.gamma, [&](float* dgamma) {
    args.dgamma = dgamma;
    with_beta();
  });
}

const void* data_or_null(const std::vector<Tensor>& parts, std::size_t i) {
  return i < parts.size() ? parts[i].data() : nullptr;
}

}  // namespace

Var batch_norm(Tape& tape, const Var& x, const BatchNormState& state, bool relu, const Var& residual,
               ForwardMode mode) {
  check_channels("batch_norm", x, state);
  const LayerScope layer(tape.context(), detail::layer_of(state.gamma));
  if (residual) {
    RETORT_CHECK(residual->shape() == x->shape() && residual->value.dtype() == x->value.dtype(),
                 "batch_norm: residual ", residual->shape(), " against input ", x->shape());
  }
  const BatchNormShape shape = kernel_shape(x, state, relu);
  const bool records = tape.records(x, residual, state.gamma, state.beta);
  Var y = detail::result(tape, x->shape(), x->value.dtype(), records, "batch_norm");
  BatchNormForward args;
  args.x = x->value.data();
  args.residual = residual ? residual->value.data() : nullptr;
  args.y = y->value.data();
  const Saved saved = forward(tape.context(), shape, state, mode, args);
  detail::moves(tape.context(), x->value, residual ? residual->value : Tensor(), y->value);
  detail::trace(tape, TracedOp::Kind::batch_norm, x, y, [&](TracedOp& op) {
    op.norm = state;
    op.residual = residual;
    op.relu = relu;
  });
  if (!records) return y;

  tape.record("batch_norm", [&tape, shape, state, mode, saved, x, y, residual] {
    // Two parts (a block's output feeds the next block and its shortcut) are added inside the kernel.
    const std::vector<Tensor> dy = tape.take_parts(*y, 2);
    if (dy.empty()) return;
    BatchNormBackward args;
    args.dy = dy[0].data();
    args.dy2 = data_or_null(dy, 1);
    args.sum = x->value.data();
    args.y = y->value.data();
    Tensor dx = x->requires_grad ? detail::gradient_like(tape, *x, "batch_norm gradient") : Tensor();
    args.dx = dx.data();
    const bool wants_residual = residual && residual->requires_grad;
    Tensor dresidual = wants_residual ? detail::gradient_like(tape, *residual, "residual gradient") : Tensor();
    args.dresidual = dresidual.data();
    backward(tape, shape, state, mode, saved, args);
    detail::moves(tape.context(), dy[0], dy.size() > 1 ? dy[1] : Tensor(), x->value, shape.relu ? y->value : Tensor(),
                  dx, dresidual);
    if (dx) tape.deliver(x, std::move(dx));
    if (dresidual) tape.deliver(residual, std::move(dresidual));
  });
  return y;
}

SumAndNormed add_batch_norm(Tape& tape, const Var& a, const Var& b, const BatchNormState& state, bool relu,
                            ForwardMode mode) {
  check_channels("add_batch_norm", a, state);
  const LayerScope layer(tape.context(), detail::layer_of(state.gamma));
  RETORT_CHECK(a->shape() == b->shape() && a->value.dtype() == b->value.dtype(), "add_batch_norm: ", a->shape(),
               " + ", b->shape());
  const BatchNormShape shape = kernel_shape(a, state, relu);
  const bool records = tape.records(a, b, state.gamma, state.beta);
  const bool sum_needs_grad = tape.records(a, b);
  SumAndNormed out;
  out.sum = detail::result(tape, a->shape(), a->value.dtype(), sum_needs_grad, "add");
  out.y = detail::result(tape, a->shape(), a->value.dtype(), records, "batch_norm");
  BatchNormForward args;
  args.x = a->value.data();
  args.x2 = b->value.data();
  args.sum = out.sum->value.data();
  args.y = out.y->value.data();
  const Saved saved = forward(tape.context(), shape, state, mode, args);
  detail::moves(tape.context(), a->value, b->value, out.sum->value, out.y->value);
  detail::trace(tape, TracedOp::Kind::batch_norm, a, out.y, [&](TracedOp& op) {
    op.x2 = b;
    op.sum = out.sum;
    op.norm = state;
    op.relu = relu;
  });
  if (!records) return out;

  tape.record("add_batch_norm", [&tape, shape, state, mode, saved, a, b, out] {
    const std::vector<Tensor> dy = tape.take_parts(*out.y, 2);
    Tensor dsum = tape.take_gradient(*out.sum);
    if (!dy.empty()) {
      BatchNormBackward args;
      args.dy = dy[0].data();
      args.dy2 = data_or_null(dy, 1);
      args.sum = out.sum->value.data();
      args.y = out.y->value.data();
      args.dx_addend = dsum.data();
      Tensor dx = out.sum->requires_grad ? detail::gradient_like(tape, *out.sum, "batch_norm gradient") : Tensor();
      args.dx = dx.data();
      backward(tape, shape, state, mode, saved, args);
      detail::moves(tape.context(), dy[0], dy.size() > 1 ? dy[1] : Tensor(), out.sum->value,
                    shape.relu ? out.y->value : Tensor(), dsum, dx);
      if (dx) dsum = std::move(dx);
    }
    if (!dsum) return;
    tape.deliver(a, dsum);
    tape.deliver(b, dsum);
  });
  return out;
}

}  // namespace retort
