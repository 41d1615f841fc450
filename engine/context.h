// Context: where and how things run: a device, its precision, streams with the arenas for activations and workspace,
// and the running count of multiply-accumulates. One context a replica.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/arena.h"
#include "engine/device_memory.h"
#include "engine/profile.h"
#include "engine/stream.h"
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

  Arena& activations() { return lane_->activations; }
  Tensor make(const Shape& shape, DType dtype, const char* who);

  /// While measuring, ops allocate and count, and launch nothing.
  bool measuring() const { return main_.activations.measuring(); }
  void begin_measuring();
  /// What has been measured so far: activations and workspace, in bytes.
  std::size_t measured_bytes() const { return main_.wanted() + side_.wanted(); }
  /// Bytes that end_measuring() could reserve.
  std::size_t available_bytes() const;
  /// Reserves what was measured. Throws Error(memory) with the table of who wanted what, also where the system would
  /// promise memory that it does not have.
  void end_measuring();

  /// The launch record for a kernel that wants `workspace_bytes` of scratch memory.
  Launch launch(std::size_t workspace_bytes = 0);
  std::size_t workspace_bytes() const { return main_.workspace_wanted + side_.workspace_wanted; }
  /// Waits until everything launched is done.
  void synchronize();
  /// What is launched from now on comes after all branches (BranchScope).
  void join_branches();
  /// From now on memory stays where it is: a recording knows its address.
  void pin_memory() { pinned_ = true; }

  /// Multiply-accumulates of the ops recorded so far; the ledger's FLOPs are twice that.
  void count_macs(double macs) { macs_ += macs; }
  double macs() const { return macs_; }
  void clear_macs() { macs_ = 0; }
  /// Bytes that those ops have to move at least, each operand of each op once.
  void count_bytes(std::size_t bytes) { bytes_ += static_cast<double>(bytes); }
  double bytes() const { return bytes_; }

  /// From now on every launch is reported to `profile`; null ends it.
  void set_profile(Profile* profile) { profile_ = profile; }
  Profile* profile() const { return profile_; }
  /// What launches belong to: the name of the layer's parameter, and the part of the step. For profiles.
  const std::string& layer() const { return layer_; }
  const char* phase() const { return phase_; }

  /// From now on the shape of every convolution in a forward pass is appended to `seen`; null ends it.
  void observe_convolutions(std::vector<Conv2dShape>* seen) { observed_convolutions_ = seen; }
  void observe(const Conv2dShape& shape) {
    if (observed_convolutions_ != nullptr) observed_convolutions_->push_back(shape);
  }

 private:
  /// A stream, and memory that only its work uses: what runs at the same time must not share any.
  struct Lane {
    Lane(Device device, const char* name);
    std::size_t wanted() const { return activations.high_water() + workspace_wanted; }
    Stream stream;
    Arena activations;
    DeviceBlock workspace, tickets;
    std::size_t workspace_wanted = 0;
  };
  void reserve(Lane& lane);

  Device device_;
  Precision precision_;
  Lane main_, side_;
  Lane* lane_ = &main_;
  void* redirected_ = nullptr;  // StreamScope's
  bool branched_ = false, pinned_ = false;
  double macs_ = 0, bytes_ = 0;
  std::vector<Conv2dShape>* observed_convolutions_ = nullptr;

  friend class BranchScope;
  friend class StreamScope;
  friend class LayerScope;
  friend class PhaseScope;
  Profile* profile_ = nullptr;
  std::string layer_;
  const char* phase_ = "";
};

/// A part of a step that may run beside what follows it, until join_branches(): on a GPU, launches go to a stream of
/// their own while the scope lives, and tensors come from memory of its own. On the CPU it changes nothing.
class BranchScope {
 public:
  explicit BranchScope(Context& context, bool beside = true);
  BranchScope(const BranchScope&) = delete;
  BranchScope& operator=(const BranchScope&) = delete;
  ~BranchScope() { context_.lane_ = before_; }

 private:
  Context& context_;
  Context::Lane* before_;
};
/// While it lives, what would be launched on the context's stream goes to this one.
class StreamScope {
 public:
  StreamScope(Context& context, void* stream)
      : context_(context), before_(std::exchange(context.redirected_, stream)) {}
  StreamScope(const StreamScope&) = delete;
  StreamScope& operator=(const StreamScope&) = delete;
  ~StreamScope() { context_.redirected_ = before_; }

 private:
  Context& context_;
  void* before_;
};

/// While it lives, launches belong to this layer.
class LayerScope {
 public:
  LayerScope(Context& context, const std::string& layer) : context_(context) {
    if (context.profile_ != nullptr) before_ = std::exchange(context.layer_, layer);
  }
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;
  ~LayerScope() {
    if (context_.profile_ != nullptr) context_.layer_ = std::move(before_);
  }

 private:
  Context& context_;
  std::string before_;
};

/// While it lives, launches belong to this part of the step.
class PhaseScope {
 public:
  PhaseScope(Context& context, const char* phase) : context_(context), before_(std::exchange(context.phase_, phase)) {}
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;
  ~PhaseScope() { context_.phase_ = before_; }

 private:
  Context& context_;
  const char* before_;
};

/// Reports one launch.
class ProfiledLaunch {
 public:
  ProfiledLaunch(const Context& context, const char* kernel, const Launch& launch)
      : profile_(context.profile()), launch_(launch) {
    if (profile_ != nullptr) profile_->begin(kernel, context.layer(), context.phase(), launch);
  }
  ProfiledLaunch(const ProfiledLaunch&) = delete;
  ProfiledLaunch& operator=(const ProfiledLaunch&) = delete;
  /// After the kernel, unless it threw.
  void done() {
    if (profile_ != nullptr) profile_->end(launch_);
  }

 private:
  Profile* profile_;
  const Launch& launch_;
};

/// Host to device and back.
void copy_to_device(Context& context, const void* host, const Tensor& tensor);
void copy_to_host(Context& context, const Tensor& tensor, void* host);

}  // namespace retort

/// Launches a kernel on the context's device: RETORT_LAUNCH(context, workspace_bytes, relu_forward, arguments...).
#define RETORT_LAUNCH(context, workspace, kernel, ...)                               \
  do {                                                                               \
    const ::retort::Launch retort_launch_ = (context).launch(workspace);             \
    if (!(context).measuring()) {                                                    \
      ::retort::ProfiledLaunch retort_profiled_((context), #kernel, retort_launch_); \
      RETORT_BACKEND((context).device(), kernel(retort_launch_, __VA_ARGS__));       \
      retort_profiled_.done();                                                       \
    }                                                                                \
  } while (false)
