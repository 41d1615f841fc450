#include "kernels/cuda/cudnn_fused_plan.h"

namespace retort::cuda {
namespace {

using Integers = std::vector<std::int64_t>;

// Names of the operands within a plan, and of what never reaches memory.
constexpr std::int64_t kX = 1;
constexpr std::int64_t kWeight = 2;
constexpr std::int64_t kY = 3;
constexpr std::int64_t kBias = 4;
constexpr std::int64_t kResidual = 5;
constexpr std::int64_t kFirstInside = 10;

CudnnDescriptor convolution(const Conv2dShape& s, const CudnnDescriptor& y) {
  const float one = 1;
  const float zero = 0;
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, cross_correlation(s))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
           channels_last(kX, s.dtype, s.batch, s.height, s.width, s.in_channels))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
           channels_last(kWeight, s.dtype, s.out_channels, s.kernel_h, s.kernel_w, s.in_channels))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &one)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &zero);
  return operation.finalize("convolution");
}

/// to = x + b, or with a null b the ReLU of x.
CudnnDescriptor pointwise(const CudnnDescriptor& x, const CudnnDescriptor* b, const CudnnDescriptor& to) {
  const cudnnPointwiseMode_t mode = b != nullptr ? CUDNN_POINTWISE_ADD : CUDNN_POINTWISE_RELU_FWD;
  const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
  CudnnDescriptor function(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  function.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &compute)
      .finalize("function of a value");
  CudnnDescriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to);
  if (b != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  return operation.finalize("operation on values");
}

/// Residual, bias, ReLU, in this order: cuDNN has engines for it, and for no other.
CudnnDescriptor graph_of(const FusedConvolution& shape) {
  const Conv2dShape& s = shape.conv;
  std::int64_t inside = kFirstInside;
  const auto image = [&s](std::int64_t name, CudnnPlace place) {
    return channels_last(name, s.dtype, s.batch, s.out_height(), s.out_width(), s.out_channels, place);
  };
  const auto next = [&](bool last) {
    return last ? image(kY, CudnnPlace::memory) : image(inside++, CudnnPlace::inside);
  };
  CudnnDescriptor value = next(false);
  std::vector<CudnnDescriptor> operations{convolution(s, value)};
  const auto then = [&](const CudnnDescriptor* b, bool last) {
    const CudnnDescriptor to = next(last);
    operations.push_back(pointwise(value, b, to));
    value = to;
  };
  const CudnnDescriptor residual = image(kResidual, CudnnPlace::memory);
  const CudnnDescriptor bias = channels_last(kBias, s.dtype, 1, 1, 1, s.out_channels);
  if (shape.residual) then(&residual, false);
  then(&bias, !shape.relu);
  if (shape.relu) then(nullptr, true);
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const CudnnDescriptor& operation : operations) raw.push_back(operation.raw());
  CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(raw.size()),
            raw.data());
  return graph.finalize("graph of a fused convolution");
}

}  // namespace

std::optional<CudnnFusedPlan> CudnnFusedPlan::find(const FusedConvolution& shape, Precision precision,
                                                   const PlanDevice& device) {
  auto plan = CudnnOffer(graph_of(shape), {shape.conv, ConvolutionPass::forward, precision}, {}, device).first();
  if (!plan) return std::nullopt;
  return CudnnFusedPlan(shape.residual, std::move(*plan));
}

void CudnnFusedPlan::execute(cudnnHandle_t handle, const void* x, const void* weight, const void* bias,
                             const void* residual, void* y, void* workspace) const {
  const std::int64_t names[] = {kX, kWeight, kY, kBias, kResidual};
  const void* operands[] = {x, weight, y, bias, residual};
  const std::int64_t count = residual_ ? 5 : 4;
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, names)
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, operands)
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace)
      .finalize("operands of a fused convolution");
  check_cudnn(cudnnBackendExecute(handle, plan_.raw(), pack.raw()), "fused convolution");
}

}  // namespace retort::cuda
