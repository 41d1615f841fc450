// Tensors that a test owns, outside the arena, and their values on the host.
#pragma once

#include <memory>

#include "engine/context.h"
#include "engine/tape.h"
#include "kernels/step_state.h"
#include "tests/support/buffer.h"

namespace retort::test {

inline Tensor device_tensor(Device device, const Shape& shape, DType dtype, const Values& values) {
  REQUIRE(static_cast<std::size_t>(shape.count()) == values.size());
  const std::vector<std::uint8_t> bytes = encode(dtype, values);
  const auto block = std::make_shared<DeviceBlock>(device, bytes.size());
  RETORT_BACKEND(device, copy_bytes({}, block->data(), bytes.data(), bytes.size()));
  RETORT_BACKEND(device, synchronize({}));
  return {shape, dtype, device, block->data(), std::shared_ptr<void>(block, block->data())};
}

inline Tensor device_tensor(Device device, const Shape& shape, const Values& values) {
  return device_tensor(device, shape, DType::f32, values);
}

inline Values host_values(const Tensor& tensor) {
  std::vector<std::uint8_t> bytes(tensor.bytes());
  RETORT_BACKEND(tensor.device(), copy_bytes({}, bytes.data(), tensor.data(), bytes.size()));
  RETORT_BACKEND(tensor.device(), synchronize({}));
  return decode(tensor.dtype(), bytes);
}

inline void set_values(const Tensor& tensor, const Values& values) {
  const std::vector<std::uint8_t> bytes = encode(tensor.dtype(), values);
  REQUIRE(bytes.size() == tensor.bytes());
  RETORT_BACKEND(tensor.device(), copy_bytes({}, tensor.data(), bytes.data(), bytes.size()));
  RETORT_BACKEND(tensor.device(), synchronize({}));
}

/// A leaf that gradients flow to, or not.
inline Var leaf(Tensor value, bool requires_grad = true) {
  auto variable = std::make_shared<Variable>();
  variable->name = "leaf";
  variable->value = std::move(value);
  variable->requires_grad = requires_grad;
  return variable;
}

/// A parameter outside any store; its gradient starts as infinity, which nothing may add to.
inline Var parameter(Tensor value) {
  Var variable = leaf(std::move(value));
  variable->name = "parameter";
  const Shape shape = variable->shape();
  variable->gradient =
      device_tensor(variable->value.device(), shape, Values(static_cast<std::size_t>(shape.count()), HUGE_VAL));
  return variable;
}

/// The state of a step in device memory.
class DeviceState {
 public:
  DeviceState(Device device, const StepState& state) : block_(device, sizeof state) { set(state); }
  StepState* data() const { return static_cast<StepState*>(block_.data()); }
  void set(const StepState& state) const {
    RETORT_BACKEND(block_.device(), copy_bytes({}, block_.data(), &state, sizeof state));
    RETORT_BACKEND(block_.device(), synchronize({}));
  }
  StepState get() const {
    StepState state;
    RETORT_BACKEND(block_.device(), copy_bytes({}, &state, block_.data(), sizeof state));
    RETORT_BACKEND(block_.device(), synchronize({}));
    return state;
  }

 private:
  DeviceBlock block_;
};

/// 0, 1, 2, ...
inline Tensor sample_indices(Device device, int rows) {
  Values values(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  return device_tensor(device, {rows}, DType::i32, values);
}

}  // namespace retort::test
