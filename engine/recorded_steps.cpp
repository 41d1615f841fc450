#include "engine/recorded_steps.h"

#include <cstdio>

namespace retort {

RecordedSteps::~RecordedSteps() {
  for (const auto& [key, step] : steps_) {
    if (step.recording != nullptr) RETORT_BACKEND(context_.device(), release_recording(step.recording));
  }
}

void RecordedSteps::run(const char* kind, int rows, const std::function<void()>& body, bool ready) {
  if (!record_ || context_.measuring() || context_.profile() != nullptr) return body();
  Step& step = steps_[{kind, rows}];
  if (step.recording == nullptr) {
    if (!step.ran || !ready) {
      step.ran = true;
      return body();
    }
    if (!record(step, body)) return body();
  }
  RETORT_BACKEND(context_.device(), replay(context_.launch(), step.recording));
  context_.count_macs(step.macs);
}

bool RecordedSteps::record(Step& step, const std::function<void()>& body) {
  const double before = context_.macs();
  context_.pin_memory();
  const Launch launch = context_.launch();
  RETORT_BACKEND(context_.device(), begin_recording(launch));
  recording_ = true;
  try {
    body();
    step.recording = RETORT_BACKEND(context_.device(), end_recording(launch));
  } catch (const Error& error) {
    RETORT_BACKEND(context_.device(), abandon_recording(launch));
    if (error.kind() != ErrorKind::device) throw;
    record_ = false;
    refusal_ = error.what();
    std::fprintf(stderr, "retort: steps are launched one by one, for one cannot be recorded: %s\n", error.what());
  }
  recording_ = false;
  // Nothing was computed yet; each replay counts.
  step.macs = context_.macs() - before;
  context_.count_macs(-step.macs);
  return step.recording != nullptr;
}

std::size_t RecordedSteps::launches(const char* kind, int rows) const {
  const auto step = steps_.find({kind, rows});
  if (step == steps_.end() || step->second.recording == nullptr) return 0;
  return RETORT_BACKEND(context_.device(), recorded_launches(step->second.recording));
}

void RecordedSteps::if_at_least(const std::int32_t* count, int least, const std::function<void()>& part) {
  if (context_.measuring()) return part();
  if (!recording_) {
    std::int32_t found = 0;
    RETORT_LAUNCH(context_, 0, copy_bytes, &found, count, sizeof found);
    context_.synchronize();
    if (found >= least) part();
    return;
  }
  void* stream = RETORT_BACKEND(context_.device(), begin_condition(context_.launch(), count, least));
  {
    const StreamScope within(context_, stream);
    part();
  }
  RETORT_BACKEND(context_.device(), end_condition(stream));
}

}  // namespace retort
