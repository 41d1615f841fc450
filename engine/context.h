// Context: where and how things run: a device, its precision, the arenas for activations and workspace, and the
// running count of multiply-accumulates. One context a replica.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/device_memory.h"
#include "engine/tensor.h"
#include "kernels/convolution.h"

namespace retort {

class Context {
 public:
  explicit Context(Device device = Device::cpu, Precision precision = Precision::fp32);

  Device device() const { return device_; }
  Precision precision() const { return precision_; }
  /// dtype of convolutional activations; pooled features, logits and losses are always f32.
  DType activation_dtype() const { return precision_ == Precision::bf16 ? DType::bf16 : DType::f32; }

  Arena& activations() { return activations_; }
  Tensor make(const Shape& shape, DType dtype, const char* who);

  /// While measuring, ops allocate and count, and launch nothing.
  bool measuring() const { return activations_.measuring(); }
  void begin_measuring();
  /// What has been measured so far: activations and workspace, in bytes.
  std::size_t measured_bytes() const { return activations_.high_water() + workspace_wanted_; }
  /// Bytes that end_measuring() could reserve.
  std::size_t available_bytes() const;
  /// Reserves what was measured. Throws Error(memory) with the table of who wanted what, also where the system would
  /// promise memory that it does not have.
  void end_measuring();

  /// The launch record for a kernel that wants `workspace_bytes` of scratch memory.
  Launch launch(std::size_t workspace_bytes = 0);
  std::size_t workspace_bytes() const { return workspace_wanted_; }

  /// Multiply-accumulates of the ops recorded so far; the ledger's FLOPs are twice that.
  void count_macs(double macs) { macs_ += macs; }
  double macs() const { return macs_; }
  void clear_macs() { macs_ = 0; }

  /// From now on the shape of every convolution in a forward pass is appended to `seen`; null ends it.
  void observe_convolutions(std::vector<Conv2dShape>* seen) { observed_convolutions_ = seen; }
  void observe(const Conv2dShape& shape) {
    if (observed_convolutions_ != nullptr) observed_convolutions_->push_back(shape);
  }

 private:
  Device device_;
  Precision precision_;
  Arena activations_;
  DeviceBlock workspace_;
  std::size_t workspace_wanted_ = 0;
  double macs_ = 0;
  std::vector<Conv2dShape>* observed_convolutions_ = nullptr;
};

/// Host to device and back.
void copy_to_device(Context& context, const void* host, const Tensor& tensor);
void copy_to_host(Context& context, const Tensor& tensor, void* host);

}  // namespace retort

/// Launches a kernel on the context's device: RETORT_LAUNCH(context, workspace_bytes, relu_forward, arguments...).
#define RETORT_LAUNCH(context, workspace, kernel, ...)                                     \
  do {                                                                                     \
    const ::retort::Launch retort_launch_ = (context).launch(workspace);                   \
    if (!(context).measuring()) RETORT_BACKEND((context).device(), kernel(retort_launch_, __VA_ARGS__)); \
  } while (false)
