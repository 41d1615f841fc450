#include "engine/tape.h"

#include "kernels/elementwise.h"

namespace retort {

Var Tape::variable(Tensor value, bool requires_grad, const char* name) {
  auto variable = std::make_shared<Variable>();
  variable->value = std::move(value);
  variable->requires_grad = requires_grad && recording_;
  variable->name = name;
  return variable;
}

void Tape::deliver(const Var& variable, Tensor part) {
  if (!variable->requires_grad) return;
  RETORT_CHECK(part.shape() == variable->shape(), "a gradient of shape ", part.shape(), " was delivered to '",
               variable->name, "' of shape ", variable->shape());
  variable->parts.push_back(std::move(part));
}

std::vector<Tensor> Tape::take_parts(Variable& variable, std::size_t limit) {
  std::vector<Tensor> parts = std::move(variable.parts);
  variable.parts.clear();
  while (parts.size() > limit) {
    const Tensor last = std::move(parts.back());
    parts.pop_back();
    Tensor& first = parts.front();
    // A part may be shared with another variable (the gradient of a sum goes to both addends unchanged).
    Tensor sum = first.unshared() ? first : context_.make(first.shape(), first.dtype(), "gradient sum");
    RETORT_LAUNCH(context_, 0, add, first.dtype(), first.count(), first.data(), last.data(), sum.data());
    context_.count_bytes(2 * last.bytes() + sum.bytes());
    first = std::move(sum);
  }
  return parts;
}

Tensor Tape::take_gradient(Variable& variable) {
  auto parts = take_parts(variable, 1);
  return parts.empty() ? Tensor() : std::move(parts.front());
}

void Tape::write_parameter_gradient(Variable& parameter, const std::function<void(float*)>& write) {
  if (!parameter.gradient_written) {
    write(parameter.gradient.f32());
    parameter.gradient_written = true;
    return;
  }
  widen_gradients();  // this parameter's may be among them
  const Tensor extra = context_.make(parameter.gradient.shape(), DType::f32, "parameter gradient");
  write(extra.f32());
  float* sum = parameter.gradient.f32();
  RETORT_LAUNCH(context_, 0, add, DType::f32, extra.count(), sum, extra.f32(), sum);
  context_.count_bytes(3 * extra.bytes());
}

void Tape::write_parameter_gradient(Variable& parameter, DType type, const std::function<void(void*)>& write) {
  if (type == DType::f32) return write_parameter_gradient(parameter, [&](float* to) { write(to); });
  const Tensor narrow = context_.make(parameter.gradient.shape(), type, "bf16 gradient");
  write(narrow.data());
  if (!parameter.gradient_written) {
    narrow_.push_back({narrow, parameter.gradient});
    parameter.gradient_written = true;
    return;
  }
  write_parameter_gradient(parameter, [&](float* to) {
    RETORT_LAUNCH(context_, 0, convert, narrow.count(), type, narrow.data(), DType::f32, to);
  });
}

void Tape::widen_gradients() {
  if (narrow_.empty()) return;
  std::vector<WidenedRange> ranges;
  for (const Narrow& n : narrow_) ranges.push_back({n.from.as<bfloat16>(), n.to.f32(), n.from.count()});
  RETORT_LAUNCH(context_, 0, widen_all, ranges.data(), static_cast<int>(ranges.size()));
  narrow_.clear();
}

void Tape::backward() {
  while (!nodes_.empty()) {
    const Node node = std::move(nodes_.back());
    nodes_.pop_back();
    const LayerScope layer(context_, node.layer);
    node.backward();
  }
  widen_gradients();
}

}  // namespace retort
