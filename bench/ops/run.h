// One benchmark: its operands in the memory of the device, what it has to move and compute, and the timed loop.
// The table of a backend's kernels is the tests' (tests/support/backend.h): a backend added there can be measured here.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <vector>

#include "bench/ops/device_timer.h"
#include "bench/ops/floors.h"
#include "tests/support/backend.h"

namespace retort::bench {

using test::Backend;

/// Memory of the device as whichever pointer a kernel asks for.
struct Pointer {
  void* address = nullptr;
  template <typename T>
  operator T*() const {
    return static_cast<T*>(address);
  }
};

class Run {
 public:
  /// `timer` is null where the host's clock has to do.
  Run(benchmark::State& state, const Backend& backend, const Floors& floors, const DeviceTimer* timer)
      : kernels(backend), state_(state), floors_(floors), timer_(timer) {}

  const Backend& kernels;

  /// Operands by how the kernel uses them, which is also how they count as bytes moved: each once, for what a kernel
  /// reads twice might have stayed in a cache. Numbers are uniform in [low, high); bytes are uniform.
  Pointer reads(DType dtype, std::int64_t count, float low = -1, float high = 1);
  Pointer writes(DType dtype, std::int64_t count);
  Pointer updates(DType dtype, std::int64_t count, float low = -1, float high = 1);
  /// Uniform integers in [0, below), read.
  Pointer integers(std::int64_t count, int below);
  /// A state with everything set that a kernel may divide by.
  StepState* step_state();
  /// Memory that the kernel touches only a part of: says nothing about bytes moved, so that moves() has to.
  Pointer holds(DType dtype, std::int64_t count, float low = -1, float high = 1);
  void moves(std::int64_t bytes) { bytes_ += static_cast<double>(bytes); }
  /// Bytes that the CUDA kernel moves besides, by its algorithm: what it reads twice, or writes in between. 0 says that
  /// there are none. tests/simt/traffic_test.cpp counts them.
  void moves_again(std::int64_t bytes) {
    if (kernels.device == Device::cuda) again_ = static_cast<double>(bytes);
  }
  /// Additions and multiplications by the definition, whatever algorithm the kernel has.
  void computes(double flops, DType dtype) {
    flops_ = flops;
    flops_dtype_ = dtype;
  }
  Launch launch(std::size_t workspace_bytes = 0);

  /// Times work(), which launches the kernel once.
  template <typename Work>
  void time(const Work& work) {
    // The first call builds plans and touches memory; it is not what a training step meets.
    work();
    kernels.synchronize({});
    if (timer_ == nullptr) {
      const Stopwatch watch;
      while (state_.KeepRunning()) {
        work();
        kernels.synchronize({});
      }
      return report(watch.seconds() / static_cast<double>(state_.iterations()), 0);
    }
    constexpr int launches = 16;
    const double host_seconds = timer_->host_seconds(work, launches);
    double seconds = 0;
    while (state_.KeepRunningBatch(launches)) {
      const double batch_seconds = timer_->warm(work, launches, host_seconds);
      state_.SetIterationTime(batch_seconds);
      seconds += batch_seconds;
    }
    report(seconds / static_cast<double>(state_.iterations()), timer_->cold(work, host_seconds / launches));
  }

 private:
  struct Deallocate {
    const Backend* backend;
    void operator()(void* block) const { backend->deallocate(block); }
  };

  Pointer allocate(std::size_t bytes);
  /// The bytes, and again from their beginning until so many are there.
  Pointer upload(const std::vector<std::uint8_t>& bytes, std::size_t wanted);
  /// `cold`: 0 where it was not measured.
  void report(double seconds, double cold);

  benchmark::State& state_;
  Floors floors_;
  const DeviceTimer* timer_;
  std::vector<std::unique_ptr<void, Deallocate>> blocks_;
  double bytes_ = 0, flops_ = 0;
  std::optional<double> again_;
  DType flops_dtype_ = DType::f32;
};

}  // namespace retort::bench
