#include "distill/run_plans.h"

#include <filesystem>
#include <iomanip>
#include <sstream>

#include "data/file.h"
#include "engine/atomic_file.h"

namespace retort {
namespace {

/// While it lives, plans are tuned.
struct Tuning {
  explicit Tuning(bool on) { cuda::tune_plans(on); }
  Tuning(const Tuning&) = delete;
  Tuning& operator=(const Tuning&) = delete;
  ~Tuning() { cuda::tune_plans(false); }
};

std::vector<PlanChoice> choices_of_run(const std::string& path, const DeviceInfo& here, const PlanRules& rules) {
  const PlanFile file = plan_file_of(read_text(path), path);
  RETORT_CHECK_AS(ErrorKind::device, file.fits(here), path, ": the run's plans are for ", printable(file.device),
                  " with cuDNN ", printable(file.cudnn), ", here is ", here.name, " with cuDNN ", here.cudnn,
                  "; results would differ in the last bits");
  return file.choices(rules);
}

}  // namespace

PlanRules plan_rules_of(const std::string& fast) {
  PlanRules rules;
  rules.deterministic = fast != "on";
  return rules;
}

RunPlans::RunPlans(Device device, const RunOptions& options, const std::string& resumed, LineSink say)
    : say_(std::move(say)), rules_(plan_rules_of(options.fast)) {
  if (device == Device::cpu) return;
  device_ = cuda::device_info();
  if (!resumed.empty()) {
    const bool there = std::filesystem::exists(resumed);
    cuda::begin_plans(rules_, there ? choices_of_run(resumed, *device_, rules_) : std::vector<PlanChoice>{}, true);
    return;
  }
  tunes_ = options.plans == "tuned";
  cuda::begin_plans(rules_, tunes_ ? PlanCache(*device_).read(say_).choices(rules_) : std::vector<PlanChoice>{}, false);
}

void RunPlans::measure(const std::function<void()>& steps) {
  if (!tunes_) return steps();
  {
    const Tuning tuning(true);
    steps();
  }
  report();
}

void RunPlans::report() {
  const PlansInUse plans = cuda::plans_in_use();
  const PlanCache cache(*device_);
  if (plans.unusable > 0) say_(text(cache.path(), ": ", plans.unusable, " plans cannot be had here; decided anew"));
  if (plans.tuned == 0) return;
  std::vector<PlanFile::Entry> timed;
  for (const PlanChoice& choice : plans.choices) {
    if (choice.seconds > 0) timed.push_back({rules_, choice});
  }
  cache.add(timed, say_);
  std::ostringstream line;
  line << "timed cuDNN's plans for " << plans.tuned << " convolutions in " << std::fixed << std::setprecision(1)
       << plans.tuning_seconds << " s";
  if (!cache.path().empty()) line << "; the next run finds them in " << cache.path();
  say_(line.str());
}

void RunPlans::write(const std::string& path) const {
  if (!device_) return;
  PlanFile file = PlanFile::of(*device_);
  for (const PlanChoice& choice : cuda::plans_in_use().choices) file.entries.push_back({rules_, choice});
  write_file_atomically(path, to_json(file));
}

}  // namespace retort
