#include "nets/folding.h"

#include <cmath>

namespace retort {
namespace {

constexpr std::size_t alignment = 256;  // bytes

std::size_t aligned(std::size_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

std::vector<float> to_host(Context& context, const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.count()));
  copy_to_host(context, tensor, values.data());
  return values;
}

/// Rounded to the tensor's type.
void to_device(Context& context, const std::vector<float>& values, const Tensor& tensor) {
  std::vector<bfloat16> narrow;
  if (tensor.dtype() == DType::bf16) {
    for (const float value : values) narrow.emplace_back(value);
  }
  copy_to_device(context, narrow.empty() ? static_cast<const void*>(values.data()) : narrow.data(), tensor);
  context.synchronize();  // before the host's copy goes
}

void fold_one(Context& context, const Conv2d& conv, const BatchNormState& norm, const FoldedConvolution& to) {
  std::vector<float> weight = to_host(context, conv.weight->value);
  const std::vector<float> gamma = to_host(context, norm.gamma->value), beta = to_host(context, norm.beta->value);
  const std::vector<float> mean = to_host(context, norm.running_mean), var = to_host(context, norm.running_var);
  std::vector<float> bias = conv.bias ? to_host(context, conv.bias->value) : std::vector<float>(gamma.size());
  const std::size_t a_channel = weight.size() / gamma.size();  // the output channel is the outermost extent
  for (std::size_t k = 0; k < gamma.size(); ++k) {
    const double scale = gamma[k] / std::sqrt(static_cast<double>(var[k]) + norm.epsilon);
    bias[k] = static_cast<float>(beta[k] + (static_cast<double>(bias[k]) - mean[k]) * scale);
    for (std::size_t i = k * a_channel; i < (k + 1) * a_channel; ++i) weight[i] = static_cast<float>(weight[i] * scale);
  }
  to_device(context, weight, to.weight);
  to_device(context, bias, to.bias);
}

}  // namespace

std::size_t Folding::add(const Conv2d& conv, const BatchNorm2d& norm) {
  pairs_.push_back({conv, norm});
  return pairs_.size() - 1;
}

void Folding::fold(Context& context) {
  if (pairs_.empty()) return;
  const DType dtype = context.activation_dtype();
  std::size_t bytes = 0;
  for (const Pair& pair : pairs_) {
    const Variable& weight = *pair.conv.weight;
    RETORT_CHECK(weight.value && !context.measuring(), "'", weight.name, "' has no values to fold");
    RETORT_CHECK(!weight.requires_grad, "'", weight.name, "' trains: its batch norm cannot be folded");
    bytes += aligned(static_cast<std::size_t>(weight.value.count()) * size_of(dtype));
    bytes += aligned(static_cast<std::size_t>(weight.shape()[0]) * size_of(dtype));
  }
  memory_ = DeviceBlock(context.device(), bytes);
  folded_.clear();
  auto* next = static_cast<char*>(memory_.data());
  const auto take = [&](const Shape& shape) {
    const Tensor tensor(shape, dtype, context.device(), next);
    next += aligned(tensor.bytes());
    return tensor;
  };
  for (const Pair& pair : pairs_) {
    const std::string& name = pair.conv.weight->name;
    const Shape& shape = pair.conv.weight->shape();
    const Tensor weight = take(shape);
    folded_.push_back({name.substr(0, name.rfind('.')), weight, take({shape[0]})});
    fold_one(context, pair.conv, pair.norm.state(), folded_.back());
  }
}

NormedConv2d::NormedConv2d(ParameterStore& store, Folding& folding, const std::string& conv_name,
                           const Conv2dSpec& spec, const std::string& norm_name)
    : conv_(store, conv_name, spec),
      norm_(store, norm_name, spec.out),
      folding_(&folding),
      number_(folding.add(conv_, norm_)) {}

Var NormedConv2d::apply(Tape& tape, const Var& x, bool relu, const Var& residual, ForwardMode mode) const {
  const FoldedConvolution* folded = folding_->folded(number_);
  if (folded != nullptr && !mode.batch_statistics && !tape.records(x, residual)) {
    return folded_conv2d(tape, x, *folded, relu, residual, conv_.options);
  }
  return batch_norm(tape, conv_(tape, x), norm_.state(), relu, residual, mode);
}

}  // namespace retort
