// defines: conv2d, folded_conv2d, linear
#include "engine/op_support.h"
#include "kernels/convolution.h"
#include "kernels/fused_convolution.h"
#include "kernels/linear.h"

namespace retort {
namespace {

Conv2dShape conv_shape(const Var& x, const Shape& weight, Conv2dOptions options) {
  detail::check_rank("conv2d", x, 4);
  RETORT_CHECK(weight.rank() == 4, "conv2d weight: expected 4 extents, got ", weight);
  RETORT_CHECK(x->shape()[3] == weight[3], "conv2d: input ", x->shape(), " has ", x->shape()[3], " channels, weight ",
               weight, " wants ", weight[3]);
  RETORT_CHECK(options.stride >= 1 && options.padding >= 0, "conv2d: stride ", options.stride, ", padding ",
               options.padding);
  Conv2dShape shape;
  shape.batch = x->shape().at(0);
  shape.height = x->shape().at(1);
  shape.width = x->shape().at(2);
  shape.in_channels = x->shape().at(3);
  shape.out_channels = weight.at(0);
  shape.kernel_h = weight.at(1);
  shape.kernel_w = weight.at(2);
  shape.stride = options.stride;
  shape.padding = options.padding;
  shape.dtype = x->value.dtype();
  RETORT_CHECK(shape.height + 2 * shape.padding >= shape.kernel_h && shape.width + 2 * shape.padding >= shape.kernel_w,
               "conv2d: a ", shape.kernel_h, "x", shape.kernel_w, " kernel does not fit input ", x->shape(),
               " with padding ", shape.padding);
  return shape;
}

/// Asked for where a pass is launched, so that a pass that never runs, such as a frozen teacher's, is not planned.
std::size_t workspace(const Context& context, const Conv2dShape& shape, ConvolutionPass pass) {
  return RETORT_BACKEND(context.device(), conv2d_workspace(shape, pass, context.precision()));
}

/// The tensor that kernels multiply with: the bf16 copy where activations are bf16.
const Tensor& working_weight(const Var& weight, DType dtype) {
  if (dtype == DType::f32) return weight->value;
  RETORT_CHECK(static_cast<bool>(weight->compute), "conv2d: weight '", weight->name, "' has no bf16 copy");
  return weight->compute;
}

/// Calls write(dweight, dbias) with the places of the gradients that are wanted, dweight's of this type; false when
/// none is. The kernels always compute dweight: beside a frozen weight it goes to scratch memory.
template <typename Write>
bool write_gradients(Tape& tape, const Var& weight, DType type, const Var& bias, const Write& write) {
  const bool wants_bias = bias && bias->requires_grad;
  const auto with_bias = [&](void* dweight) {
    if (!wants_bias) return write(dweight, static_cast<float*>(nullptr));
    tape.write_parameter_gradient(*bias, [&](float* dbias) { write(dweight, dbias); });
  };
  if (weight->requires_grad) {
    tape.write_parameter_gradient(*weight, type, with_bias);
  } else if (wants_bias) {
    const Tensor scratch = tape.context().make(weight->shape(), type, "gradient of a frozen weight");
    with_bias(scratch.data());
  }
  return weight->requires_grad || wants_bias;
}

}  // namespace

Var conv2d(Tape& tape, const Var& x, const Var& weight, const Var& bias, Conv2dOptions options) {
  const Conv2dShape shape = conv_shape(x, weight->shape(), options);
  if (bias) {
    RETORT_CHECK(bias->shape() == Shape({shape.out_channels}), "conv2d: bias ", bias->shape(), " for weight ",
                 weight->shape());
  }
  const Tensor& weights = working_weight(weight, shape.dtype);
  Context& context = tape.context();
  const LayerScope layer(context, detail::layer_of(weight));
  const bool records = tape.records(x, weight, bias);
  Var y = detail::result(tape, {shape.batch, shape.out_height(), shape.out_width(), shape.out_channels}, shape.dtype,
                         records, "conv2d");
  RETORT_LAUNCH(context, workspace(context, shape, ConvolutionPass::forward), conv2d_forward, shape, x->value.data(),
                weights.data(), detail::f32_or_null(bias), y->value.data());
  context.count_macs(shape.macs());
  detail::moves(context, x->value, weights, y->value);
  context.observe(shape);
  detail::trace(tape, TracedOp::Kind::conv2d, x, y, [&](TracedOp& op) {
    op.weight = weight;
    op.bias = bias;
    op.stride = options.stride;
    op.padding = options.padding;
  });
  if (!records) return y;

  tape.record("conv2d", [&tape, &context, shape, x, y, weight, bias] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    const DType type = RETORT_BACKEND(context.device(), conv2d_filter_gradient_type(shape));
    const bool trains = write_gradients(tape, weight, type, bias, [&](void* dweight, float* dbias) {
      RETORT_LAUNCH(context, workspace(context, shape, ConvolutionPass::backward_filter), conv2d_backward_filter, shape,
                    x->value.data(), dy.data(), dweight, dbias);
    });
    if (trains) context.count_macs(shape.macs());
    if (trains) detail::moves(context, x->value, dy, weight->value);
    if (x->requires_grad) {
      Tensor dx = detail::gradient_like(tape, *x, "conv2d gradient");
      RETORT_LAUNCH(context, workspace(context, shape, ConvolutionPass::backward_data), conv2d_backward_data, shape,
                    dy.data(), working_weight(weight, shape.dtype).data(), dx.data());
      context.count_macs(shape.macs());
      detail::moves(context, dy, working_weight(weight, shape.dtype), dx);
      tape.deliver(x, std::move(dx));
    }
  });
  return y;
}

Var folded_conv2d(Tape& tape, const Var& x, const FoldedConvolution& folded, bool relu, const Var& residual,
                  Conv2dOptions options) {
  const FusedConvolution shape{conv_shape(x, folded.weight.shape(), options), residual != nullptr, relu};
  const Shape out{shape.conv.batch, shape.conv.out_height(), shape.conv.out_width(), shape.conv.out_channels};
  RETORT_CHECK(!tape.records(x, residual), "folded_conv2d: '", folded.layer, "' passes no gradient on");
  RETORT_CHECK(folded.weight.dtype() == x->value.dtype() && folded.bias.dtype() == x->value.dtype(),
               "folded_conv2d: the parameters of '", folded.layer, "' have another dtype than the input ", x->shape());
  if (residual) {
    RETORT_CHECK(residual->shape() == out && residual->value.dtype() == x->value.dtype(), "folded_conv2d: residual ",
                 residual->shape(), " for output ", out);
  }
  Context& context = tape.context();
  const LayerScope layer(context, folded.layer);
  const std::size_t scratch = RETORT_BACKEND(context.device(), fused_convolution_workspace(shape, context.precision()));
  Var y = detail::result(tape, out, shape.conv.dtype, false, "conv2d");
  RETORT_LAUNCH(context, scratch, fused_convolution, shape, x->value.data(), folded.weight.data(), folded.bias.data(),
                residual ? residual->value.data() : nullptr, y->value.data());
  context.count_macs(shape.conv.macs());
  detail::moves(context, x->value, folded.weight, y->value);
  if (residual) detail::moves(context, residual->value);
  context.observe(shape.conv);
  detail::trace(tape, TracedOp::Kind::conv2d, x, y, [&](TracedOp& op) {
    op.folded = &folded;
    op.residual = residual;
    op.relu = relu;
    op.stride = options.stride;
    op.padding = options.padding;
  });
  return y;
}

Var linear(Tape& tape, const Var& x, const Var& weight, const Var& bias) {
  detail::check_rank("linear", x, 2);
  RETORT_CHECK(weight->shape().rank() == 2 && x->shape()[1] == weight->shape()[1], "linear: input ", x->shape(),
               " against weight ", weight->shape());
  if (bias) {
    RETORT_CHECK(bias->shape() == Shape({weight->shape()[0]}), "linear: bias ", bias->shape(), " for weight ",
                 weight->shape());
  }
  const LinearShape shape{x->shape().at(0), x->shape().at(1), weight->shape().at(0)};
  Context& context = tape.context();
  const LayerScope layer(context, detail::layer_of(weight));
  const std::size_t scratch = RETORT_BACKEND(context.device(), linear_workspace(shape));
  const bool records = tape.records(x, weight, bias);
  Var y = detail::result(tape, {shape.batch, shape.out_features}, DType::f32, records, "linear");
  RETORT_LAUNCH(context, scratch, linear_forward, shape, x->value.f32(), weight->value.f32(), detail::f32_or_null(bias),
                y->value.f32());
  context.count_macs(shape.macs());
  detail::moves(context, x->value, weight->value, y->value);
  detail::trace(tape, TracedOp::Kind::linear, x, y, [&](TracedOp& op) {
    op.weight = weight;
    op.bias = bias;
  });
  if (!records) return y;

  tape.record("linear", [&tape, &context, shape, scratch, x, y, weight, bias] {
    const Tensor dy = tape.take_gradient(*y);
    if (!dy) return;
    const bool trains = write_gradients(tape, weight, DType::f32, bias, [&](void* dweight, float* dbias) {
      RETORT_LAUNCH(context, scratch, linear_backward_weight, shape, x->value.f32(), dy.f32(),
                    static_cast<float*>(dweight), dbias);
    });
    if (trains) context.count_macs(shape.macs());
    if (trains) detail::moves(context, x->value, dy, weight->value);
    if (x->requires_grad) {
      Tensor dx = detail::gradient_like(tape, *x, "linear gradient");
      RETORT_LAUNCH(context, scratch, linear_backward_data, shape, dy.f32(), weight->value.f32(), dx.f32());
      context.count_macs(shape.macs());
      detail::moves(context, dy, weight->value, dx);
      tape.deliver(x, std::move(dx));
    }
  });
  return y;
}

}  // namespace retort
