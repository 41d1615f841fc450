// Steps that are the same each time but for what they find in device memory: written down once, then replayed as one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "engine/context.h"
#include "kernels/graph.h"

namespace retort {

class RecordedSteps {
 public:
  /// With `record` off, or where the device has no recordings, every step is simply run.
  RecordedSteps(Context& context, bool record)
      : context_(context), record_(record && RETORT_BACKEND(context.device(), has_recordings())) {}
  ~RecordedSteps();
  RecordedSteps(const RecordedSteps&) = delete;
  RecordedSteps& operator=(const RecordedSteps&) = delete;

  /// Whether a recorded step can have a part that depends on a number.
  bool has_conditions() const { return record_ && RETORT_BACKEND(context_.device(), has_conditions()); }

  /// Why nothing is recorded any more, or an empty string. What a device refuses to record is run as it is from then
  /// on, and the program says so.
  const std::string& refusal() const { return refusal_; }

  /// Runs body(), a step of `rows` rows. The first one of a kind and size is run as it is, which loads kernels and
  /// makes plans; the second is recorded and replayed; the later ones are replayed. Steps of one kind and size have to
  /// launch the same kernels on the same memory. `ready` false: it is run as it is once more.
  void run(const char* kind, int rows, const std::function<void()>& body, bool ready = true);

  /// Launches of the recording of that step, a conditional part as one; 0 where there is none yet.
  std::size_t launches(const char* kind, int rows) const;

  /// Runs part() if `*count`, on the device, is at least `least`. Within the body of a step that is being recorded the
  /// device will decide at each replay; elsewhere the host reads the number, and waits for it.
  void if_at_least(const std::int32_t* count, int least, const std::function<void()>& part);

 private:
  struct Step {
    bool ran = false;
    void* recording = nullptr;
    double macs = 0;
  };
  bool record(Step& step, const std::function<void()>& body);

  Context& context_;
  bool record_;
  bool recording_ = false;  // now
  std::string refusal_;
  std::map<std::pair<std::string, int>, Step> steps_;
};

}  // namespace retort
