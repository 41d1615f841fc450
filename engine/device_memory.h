// RAII over kernels/memory.h, and the one place where a call is sent to a backend.
#pragma once

#include <utility>

#include "kernels/error.h"
#include "kernels/memory.h"

/// Calls the same function of the backend in use: RETORT_BACKEND(device, relu_forward(...)).
#define RETORT_BACKEND(device, call) \
  ((device) == ::retort::Device::cuda ? ::retort::cuda::call : ::retort::cpu::call)

namespace retort {

class DeviceBlock {
 public:
  DeviceBlock() = default;
  DeviceBlock(Device device, std::size_t bytes)
      : device_(device), bytes_(bytes), data_(RETORT_BACKEND(device, allocate(bytes))) {}
  ~DeviceBlock() {
    if (data_ != nullptr) RETORT_BACKEND(device_, deallocate(data_));
  }
  DeviceBlock(DeviceBlock&& other) noexcept
      : device_(other.device_), bytes_(std::exchange(other.bytes_, 0)), data_(std::exchange(other.data_, nullptr)) {}
  DeviceBlock& operator=(DeviceBlock&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 private:
  Device device_ = Device::cpu;
  std::size_t bytes_ = 0;
  void* data_ = nullptr;
};

}  // namespace retort
