// Keeps the host a fixed number of steps ahead of the device at most: far enough that the device never waits for it,
// near enough that an interrupt or a divergence is noticed soon.
#pragma once

#include <deque>

#include "engine/context.h"
#include "kernels/timing.h"

namespace retort {

class Pace {
 public:
  static constexpr std::size_t kAhead = 8;

  explicit Pace(Context& context) : context_(context) {}
  Pace(const Pace&) = delete;
  Pace& operator=(const Pace&) = delete;
  ~Pace() {
    for (void* mark : marks_) RETORT_BACKEND(context_.device(), release_mark(mark));
  }

  /// A step was launched: waits for the one kAhead steps before it.
  void step_launched() {
    if (context_.device() == Device::cpu) return;
    marks_.push_back(RETORT_BACKEND(context_.device(), make_mark(context_.launch())));
    if (marks_.size() <= kAhead) return;
    RETORT_BACKEND(context_.device(), wait_for(marks_.front()));
    RETORT_BACKEND(context_.device(), release_mark(marks_.front()));
    marks_.pop_front();
  }

 private:
  Context& context_;
  std::deque<void*> marks_;
};

}  // namespace retort
