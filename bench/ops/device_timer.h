// Times launches on a GPU by marks in its queue, so that what the host needs to launch is not in the result: before
// each measurement the device gets other work, long enough for the host to queue everything that is timed. That work
// reads a block many times larger than the L2 cache, and so it also takes the operands out of there. It only reads:
// lines that were written would still have to go to memory while the kernel runs.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "bench/ops/floors.h"
#include "engine/device_memory.h"
#include "kernels/timing.h"
#include "tests/support/backend.h"

namespace retort::bench {

class DeviceTimer {
 public:
  using Backend = test::Backend;

  /// Null for the CPU, which has no queue, and whose last-level cache others use as well.
  static std::unique_ptr<DeviceTimer> of(const Backend& backend, std::size_t flush_bytes);

  DeviceTimer(const Backend& backend, std::size_t flush_bytes);
  DeviceTimer(const DeviceTimer&) = delete;
  DeviceTimer& operator=(const DeviceTimer&) = delete;
  ~DeviceTimer();

  /// Seconds that the host needs to launch work() so often.
  template <typename Work>
  double host_seconds(const Work& work, int launches) const {
    backend_.synchronize({});
    const Stopwatch watch;
    for (int i = 0; i < launches; ++i) work();
    const double seconds = watch.seconds();
    backend_.synchronize({});
    return seconds;
  }

  /// Seconds of so many launches in a row. Operands that fit into the cache are there.
  template <typename Work>
  double warm(const Work& work, int launches, double host_seconds) const {
    occupy(2 * host_seconds);
    work();
    return between_marks([&] {
      for (int i = 0; i < launches; ++i) work();
    });
  }

  /// Seconds of one launch whose operands come from memory: the median of several.
  template <typename Work>
  double cold(const Work& work, double host_seconds) const {
    std::vector<double> seconds;
    for (int i = 0; i < 15; ++i) {
      occupy(2 * host_seconds);
      seconds.push_back(between_marks(work));
    }
    std::nth_element(seconds.begin(), seconds.begin() + 7, seconds.end());
    return seconds[7];
  }

 private:
  /// Reads the block, as often as takes so long, at least once.
  void occupy(double seconds) const;

  template <typename Work>
  double between_marks(const Work& work) const {
    void* begin = RETORT_BACKEND(backend_.device, make_mark({}));
    work();
    void* end = RETORT_BACKEND(backend_.device, make_mark({}));
    const double seconds = RETORT_BACKEND(backend_.device, seconds_between(begin, end));
    RETORT_BACKEND(backend_.device, release_mark(begin));
    RETORT_BACKEND(backend_.device, release_mark(end));
    return seconds;
  }

  const Backend& backend_;
  std::int64_t elements_;
  void* block_ = nullptr;
  void* state_ = nullptr;
  Launch launch_;
  double sweep_seconds_ = 0;
};

}  // namespace retort::bench
