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
    : device_(device), precision_(precision), main_(device, "activations"), side_(device, "activations of a branch") {}

Context::Lane::Lane(Device device, const char* name)
    : stream(device), activations(device, name), tickets(device, Launch::kTickets * sizeof(std::uint32_t)) {
  Launch launch;
  launch.stream = stream.handle();
  RETORT_BACKEND(device, fill_zero(launch, tickets.data(), tickets.bytes()));
}

Tensor Context::make(const Shape& shape, DType dtype, const char* who) {
  const std::size_t bytes = static_cast<std::size_t>(shape.count()) * size_of(dtype);
  std::shared_ptr<void> block = lane_->activations.allocate(bytes, who);
  void* data = block.get();
  return {shape, dtype, device_, data, std::move(block)};
}

void Context::begin_measuring() {
  for (Lane* lane : {&main_, &side_}) {
    lane->activations.measure();
    lane->workspace_wanted = 0;
  }
}

std::size_t Context::available_bytes() const {
  const std::size_t free = RETORT_BACKEND(device_, available_memory());
  return free > spared_bytes ? free - spared_bytes : 0;
}

void Context::reserve(Lane& lane) {
  lane.activations.reserve();
  if (lane.workspace.bytes() >= lane.workspace_wanted) return;
  lane.workspace = DeviceBlock();
  lane.workspace = DeviceBlock(device_, lane.workspace_wanted);
}

void Context::end_measuring() {
  const std::size_t wanted = main_.activations.high_water() + side_.activations.high_water();
  const std::size_t workspace = workspace_bytes();
  const std::size_t available = available_bytes();
  auto owners = main_.activations.owners_at_peak();
  for (const auto& [who, bytes] : side_.activations.owners_at_peak()) owners.emplace_back(who + " (teacher)", bytes);
  try {
    RETORT_CHECK_AS(ErrorKind::memory, measured_bytes() <= available, "not enough memory");
    reserve(main_);
    reserve(side_);
  } catch (const Error& error) {
    std::ostringstream table;
    table << "out of memory: activations want " << (wanted >> 20) << " MiB, workspace " << (workspace >> 20)
          << " MiB, available are " << (available >> 20) << " MiB. Activations at the worst moment:";
    for (const auto& [who, bytes] : owners) table << "\n  " << std::setw(8) << (bytes >> 10) << " KiB  " << who;
    throw Error(ErrorKind::memory, table.str());
  }
}

Launch Context::launch(std::size_t workspace_bytes) {
  Launch launch;
  launch.precision = precision_;
  launch.stream = redirected_ != nullptr && lane_ == &main_ ? redirected_ : lane_->stream.handle();
  launch.tickets = static_cast<std::uint32_t*>(lane_->tickets.data());
  if (workspace_bytes == 0) return launch;
  lane_->workspace_wanted = std::max(lane_->workspace_wanted, workspace_bytes);
  if (!measuring() && lane_->workspace.bytes() < workspace_bytes) {
    RETORT_CHECK_AS(ErrorKind::internal, !pinned_, "a kernel wants ", workspace_bytes,
                    " bytes of workspace, more than was measured, after a step was recorded");
    lane_->workspace = DeviceBlock();
    lane_->workspace = DeviceBlock(device_, workspace_bytes);
  }
  launch.workspace = lane_->workspace.data();
  launch.workspace_bytes = lane_->workspace.bytes();
  return launch;
}

void Context::synchronize() {
  if (!measuring()) RETORT_BACKEND(device_, synchronize(launch()));
}

BranchScope::BranchScope(Context& context, bool beside) : context_(context), before_(context.lane_) {
  if (context.device_ == Device::cpu || !beside) return;
  const Launch earlier = context.launch();
  context.lane_ = &context.side_;
  context.branched_ = true;
  if (!context.measuring()) RETORT_BACKEND(context.device_, order_after(context.launch(), earlier));
}

void Context::join_branches() {
  if (!std::exchange(branched_, false) || measuring()) return;
  Launch side;
  side.stream = side_.stream.handle();
  RETORT_BACKEND(device_, order_after(launch(), side));
}

void copy_to_device(Context& context, const void* host, const Tensor& tensor) {
  RETORT_LAUNCH(context, 0, copy_bytes, tensor.data(), host, tensor.bytes());
}

void copy_to_host(Context& context, const Tensor& tensor, void* host) {
  RETORT_LAUNCH(context, 0, copy_bytes, host, tensor.data(), tensor.bytes());
  context.synchronize();
}

}  // namespace retort
