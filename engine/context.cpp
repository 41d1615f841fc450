#include "engine/context.h"

#include <algorithm>
#include <cstdint>
#include <iomanip>

namespace retort {
namespace {

/// Left for what is not asked for here: the libraries' own code and tables, file buffers, stacks.
constexpr std::size_t spared_bytes = std::size_t{128} << 20;

}  // namespace

Context::Context(Device device, Precision precision)
    : device_(device), precision_(precision), activations_(device, "activations") {}

Tensor Context::make(const Shape& shape, DType dtype, const char* who) {
  const std::size_t bytes = static_cast<std::size_t>(shape.count()) * size_of(dtype);
  std::shared_ptr<void> block = activations_.allocate(bytes, who);
  void* data = block.get();
  return {shape, dtype, device_, data, std::move(block)};
}

void Context::begin_measuring() {
  activations_.measure();
  workspace_wanted_ = 0;
}

std::size_t Context::available_bytes() const {
  const std::size_t free = RETORT_BACKEND(device_, available_memory());
  return free > spared_bytes ? free - spared_bytes : 0;
}

void Context::end_measuring() {
  const std::size_t wanted = activations_.high_water();
  const std::size_t available = available_bytes();
  const auto owners = activations_.owners_at_peak();
  try {
    RETORT_CHECK_AS(ErrorKind::memory, measured_bytes() <= available, "not enough memory");
    activations_.reserve();
    if (workspace_.bytes() < workspace_wanted_) {
      workspace_ = DeviceBlock();
      workspace_ = DeviceBlock(device_, workspace_wanted_);
    }
  } catch (const Error& error) {
    std::ostringstream table;
    table << "out of memory: activations want " << (wanted >> 20) << " MiB, workspace " << (workspace_wanted_ >> 20)
          << " MiB, available are " << (available >> 20) << " MiB. Activations at the worst moment:";
    for (const auto& [who, bytes] : owners) table << "\n  " << std::setw(8) << (bytes >> 10) << " KiB  " << who;
    throw Error(ErrorKind::memory, table.str());
  }
}

Launch Context::launch(std::size_t workspace_bytes) {
  Launch launch;
  launch.precision = precision_;
  if (workspace_bytes == 0) return launch;
  workspace_wanted_ = std::max(workspace_wanted_, workspace_bytes);
  if (!measuring() && workspace_.bytes() < workspace_bytes) {
    workspace_ = DeviceBlock();
    workspace_ = DeviceBlock(device_, workspace_bytes);
  }
  launch.workspace = workspace_.data();
  launch.workspace_bytes = workspace_.bytes();
  return launch;
}

void copy_to_device(Context& context, const void* host, const Tensor& tensor) {
  RETORT_LAUNCH(context, 0, copy_bytes, tensor.data(), host, tensor.bytes());
}

void copy_to_host(Context& context, const Tensor& tensor, void* host) {
  RETORT_LAUNCH(context, 0, copy_bytes, host, tensor.data(), tensor.bytes());
  RETORT_BACKEND(context.device(), synchronize(context.launch()));
}

}  // namespace retort
