// Which plan computes a convolution: decided when a problem first comes up, and kept.
#include "kernels/cuda/convolve.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "kernels/cuda/plan_tuning.h"

namespace retort::cuda {
namespace {

struct ProblemHash {
  std::size_t operator()(const ConvolutionProblem& p) const {
    const Conv2dShape& s = p.shape;
    std::size_t hash = 0;
    for (const int value :
         {s.batch, s.height, s.width, s.in_channels, s.out_channels, s.kernel_h, s.kernel_w, s.stride, s.padding,
          static_cast<int>(s.dtype), static_cast<int>(p.pass), static_cast<int>(p.precision)}) {
      hash = (hash ^ static_cast<std::size_t>(value)) * 0x9e3779b97f4a7c15U;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

class Plans {
 public:
  static Plans& instance() {
    static auto* const plans = new Plans;  // destroying it after the driver's own end would fail
    return *plans;
  }

  void begin(const PlanRules& rules, const std::vector<PlanChoice>& decided, bool binding) {
    const std::lock_guard lock(mutex_);
    rules_ = rules;
    binding_ = binding;
    tuning_ = false;
    in_use_.clear();
    decided_.clear();
    for (const PlanChoice& choice : decided) decided_.insert_or_assign(choice.problem, choice);
    tally_ = {};
  }
  void tune(bool on) {
    const std::lock_guard lock(mutex_);
    tuning_ = on;
  }

  /// The reference stays good until begin().
  const LibraryPlan& plan_of(const Conv2dShape& shape, ConvolutionPass pass, Precision precision) {
    const ConvolutionProblem problem{shape, pass, shape.dtype == DType::bf16 ? Precision::bf16 : precision};
    const std::lock_guard lock(mutex_);
    const auto known = in_use_.find(problem);
    if (known != in_use_.end()) return known->second.plan;
    return in_use_.emplace(problem, decide(problem)).first->second.plan;
  }

  PlansInUse in_use() {
    const std::lock_guard lock(mutex_);
    PlansInUse all = tally_;
    std::map<ConvolutionProblem, const TunedPlan*> in_order;
    for (const auto& [problem, plan] : in_use_) in_order.emplace(problem, &plan);
    for (const auto& [problem, plan] : in_order) {
      all.choices.push_back({problem, plan->plan.name, plan->seconds, plan->favourite_seconds});
    }
    return all;
  }

 private:
  TunedPlan decide(const ConvolutionProblem& problem) {
    if (const auto decided = decided_.find(problem); decided != decided_.end()) {
      const PlanChoice& choice = decided->second;
      if (auto plan = plan_by_name(problem, rules_, choice.plan)) {
        return {std::move(*plan), choice.seconds, choice.favourite_seconds};
      }
      RETORT_CHECK_AS(ErrorKind::device, !binding_, "there is no plan '", printable(choice.plan), "' for a ",
                      describe(problem), " here");
      ++tally_.unusable;
    }
    if (tuning_) {
      if (auto tuned = tuned_plan(problem)) return std::move(*tuned);
    }
    return {favourite_plan(problem, rules_)};
  }

  std::optional<TunedPlan> tuned_plan(const ConvolutionProblem& problem) {
    const auto start = std::chrono::steady_clock::now();
    std::optional<TunedPlan> tuned;
    try {
      tuned = fastest_plan(problem, all_plans(problem, rules_));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::memory) throw;  // then the run will not fit either, and it is the one to say so
    }
    tally_.tuning_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    tally_.tuned += tuned ? 1 : 0;
    return tuned;
  }

  std::mutex mutex_;
  PlanRules rules_;
  bool binding_ = false;
  bool tuning_ = false;
  std::unordered_map<ConvolutionProblem, TunedPlan, ProblemHash> in_use_;
  std::map<ConvolutionProblem, PlanChoice> decided_;
  PlansInUse tally_;
};

}  // namespace

std::size_t convolve_workspace(const Conv2dShape& shape, ConvolutionPass pass, Precision precision) {
  return Plans::instance().plan_of(shape, pass, precision).workspace_bytes;
}

void convolve(const Launch& at, const Conv2dShape& shape, ConvolutionPass pass, const void* a, const void* b, void* c) {
  const LibraryPlan& plan = Plans::instance().plan_of(shape, pass, at.precision);
  RETORT_CHECK(plan.workspace_bytes <= at.workspace_bytes, describe({shape, pass, at.precision}), " wants ",
               plan.workspace_bytes, " bytes of workspace, there are ", at.workspace_bytes);
  plan.launch(at, a, b, c);
}

void begin_plans(const PlanRules& rules, const std::vector<PlanChoice>& decided, bool binding) {
  Plans::instance().begin(rules, decided, binding);
}

void tune_plans(bool on) {
  Plans::instance().tune(on);
}

PlansInUse plans_in_use() {
  return Plans::instance().in_use();
}

}  // namespace retort::cuda
