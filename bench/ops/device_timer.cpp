#include "bench/ops/device_timer.h"

namespace retort::bench {

std::unique_ptr<DeviceTimer> DeviceTimer::of(const Backend& backend, std::size_t flush_bytes) {
  return backend.device == Device::cpu ? nullptr : std::make_unique<DeviceTimer>(backend, flush_bytes);
}

DeviceTimer::DeviceTimer(const Backend& backend, std::size_t flush_bytes)
    : backend_(backend), elements_(static_cast<std::int64_t>(flush_bytes / sizeof(float))) {
  block_ = backend.allocate(flush_bytes);
  state_ = backend.allocate(sizeof(StepState));
  launch_.workspace_bytes = backend.gradient_norm_workspace(elements_);
  launch_.workspace = backend.allocate(launch_.workspace_bytes);
  backend.fill_zero({}, block_, flush_bytes);
  backend.fill_zero({}, state_, sizeof(StepState));
  for (int i = 0; i < 3; ++i) {
    sweep_seconds_ = between_marks(
        [&] { backend_.gradient_norm(launch_, elements_, DType::f32, block_, true, static_cast<StepState*>(state_)); });
  }
}

DeviceTimer::~DeviceTimer() {
  for (void* block : {block_, state_, launch_.workspace}) backend_.deallocate(block);
}

void DeviceTimer::occupy(double seconds) const {
  const int sweeps = 1 + static_cast<int>(seconds / sweep_seconds_);
  for (int i = 0; i < sweeps; ++i) {
    backend_.gradient_norm(launch_, elements_, DType::f32, block_, true, static_cast<StepState*>(state_));
  }
}

}  // namespace retort::bench
