#include "tests/simt/emulated_plans.h"

#include <cstdlib>

#include "kernels/cuda/plan_library.h"
#include "tests/simt/libraries.h"
#include "tests/simt/recording.h"

namespace simt {
namespace {

double seconds = 0;

}  // namespace

double seconds_of_convolutions() {
  return seconds;
}

}  // namespace simt

namespace retort::cuda {
namespace {

struct Engine {
  const char* name;
  double seconds;  ///< of a launch, by the emulated device's clock
  std::size_t workspace_bytes;
  bool deterministic = true, runs = true, records = true;
};

/// The heuristics' favourite comes first. The host takes a millisecond or so for a convolution, which does not count
/// beside these.
constexpr Engine kEngines[] = {
    {"emulated_k0=1", 0.5, 512},
    {"emulated_k0=2", 0.01, 512, true, false},        // fails when it is launched
    {"emulated_k0=3", 0.02, 512, true, true, false},  // fails when it is recorded
    {"emulated_k0=4", 0.3, 1024},                     // the fastest
    {"emulated_k0=5", 0.2, 768, false},               // but for this one, which is not deterministic
    {"emulated_k0=6", 50, 256},
};

/// RETORT_EMULATED_ENGINES: that many of the first ones are there, as if another version of the library were.
std::size_t engines() {
  const char* wanted = std::getenv("RETORT_EMULATED_ENGINES");
  return wanted == nullptr ? std::size(kEngines) : std::strtoul(wanted, nullptr, 10);
}

LibraryPlan plan_of(const ConvolutionProblem& problem, const Engine& engine) {
  const auto launch = [problem, &engine](const Launch& at, const void* a, const void* b, void* c) {
    RETORT_CHECK_AS(ErrorKind::device, engine.runs, engine.name, " does not run");
    if (!engine.records) ::simt::not_while_recording("this engine");
    submit_convolution(at, problem.shape, problem.pass, engine.workspace_bytes, a, b, c,
                       [&engine] { ::simt::seconds += engine.seconds; });
  };
  return {engine.name, engine.workspace_bytes, launch};
}

}  // namespace

std::vector<LibraryPlan> all_plans(const ConvolutionProblem& problem, const PlanRules& rules) {
  std::vector<LibraryPlan> all;
  for (std::size_t i = 0; i < engines(); ++i) {
    if (kEngines[i].deterministic || !rules.deterministic) all.push_back(plan_of(problem, kEngines[i]));
  }
  return all;
}

LibraryPlan favourite_plan(const ConvolutionProblem& problem, const PlanRules&) {
  return plan_of(problem, kEngines[0]);
}

std::optional<LibraryPlan> plan_by_name(const ConvolutionProblem& problem, const PlanRules& rules,
                                        const std::string& name) {
  for (LibraryPlan& plan : all_plans(problem, rules)) {
    if (plan.name == name) return std::move(plan);
  }
  return std::nullopt;
}

ConvolutionPlanReport plan_convolution(const ConvolutionProblem& problem, const PlanRules& rules,
                                       const std::string& device, const std::string& name) {
  RETORT_CHECK_AS(ErrorKind::device, device.empty(), "built without CUDA (plan_convolution)");
  const auto plan = name.empty() ? favourite_plan(problem, rules) : plan_by_name(problem, rules, name);
  RETORT_CHECK_AS(ErrorKind::device, plan, "the emulated device has no plan '", name, "'");
  ConvolutionPlanReport report;
  report.plan = plan->name;
  report.candidates = static_cast<int>(engines());
  report.allowed = static_cast<int>(all_plans(problem, rules).size());
  report.workspace_bytes = plan->workspace_bytes;
  return report;
}

std::vector<ConvolutionPlanReport> plans_offered(const ConvolutionProblem& problem, const PlanRules& rules,
                                                 const std::string& device) {
  std::vector<ConvolutionPlanReport> reports;
  for (const LibraryPlan& plan : all_plans(problem, rules)) {
    reports.push_back(plan_convolution(problem, rules, device, plan.name));
  }
  return reports;
}

std::string describe_device() {
  fail(ErrorKind::device, "the emulated device has no description");
}

}  // namespace retort::cuda
