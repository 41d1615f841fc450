// RAII over kernels/stream.h.
#pragma once

#include <utility>

#include "engine/device_memory.h"
#include "kernels/stream.h"

namespace retort {

class Stream {
 public:
  explicit Stream(Device device) : device_(device), handle_(RETORT_BACKEND(device, make_stream())) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { RETORT_BACKEND(device_, release_stream(handle_)); }
  void* handle() const { return handle_; }

 private:
  Device device_;
  void* handle_;
};

/// A value of a plain type in memory that kernels write and the host reads, zero at first.
template <typename T>
class SharedValue {
 public:
  explicit SharedValue(Device device)
      : device_(device), value_(static_cast<T*>(RETORT_BACKEND(device, allocate_shared(sizeof(T))))) {}
  SharedValue(const SharedValue&) = delete;
  SharedValue& operator=(const SharedValue&) = delete;
  ~SharedValue() { RETORT_BACKEND(device_, deallocate_shared(value_)); }
  T* get() const { return value_; }

 private:
  Device device_;
  T* value_;
};

}  // namespace retort
