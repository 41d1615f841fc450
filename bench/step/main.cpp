// Training-step benchmark: images a second of a student's step with the distillation loss. With --teacher the teacher's
// forward pass is part of it, as in bench/peers/pytorch_kd_step.py; without, its logits are given, as in
// pytorch_step.py. bench/compare_with_pytorch and bench/compare_kd_steps run both sides.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "bench/ops/floors.h"
#include "bench/ops/launch_floor.h"
#include "bench/step/bench_step.h"
#include "distill/run_plans.h"
#include "distill/run_setup.h"
#include "distill/version.h"
#include "kernels/device_info.h"
#include "kernels/timing.h"

namespace {

using namespace retort;
using bench::BenchStep;

struct Arguments : bench::StepArguments {
  int steps = 20, blocks = 5;
  double warm_up = 0, block_seconds = 0;
  bool json = false, floor = false;
};

/// On a GPU what is in use there at the end, with the context and libraries, by anybody; else this process's peak.
double memory_mib(Device device) {
  constexpr double mib = 1024 * 1024;
  if (device == Device::cuda) {
    return static_cast<double>(cuda::device_info().memory_bytes - cuda::available_memory()) / mib;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Launches of one step: the recording's, or by the engine's count, for which a library's call is one.
struct StepCost {
  double flops = 0, bytes = 0;
  std::size_t launches = 0;
};

/// What a step of so many multiplications, bytes and launches cannot go below on this machine.
nlohmann::ordered_json floor_of(const bench::Floors& floors, const StepCost& cost, const Context& context,
                                double step_ms) {
  const Precision precision = context.precision();
  const double flops_ms = 1e3 * cost.flops / floors.rate(precision);
  const double bytes_ms = 1e3 * cost.bytes / floors.copied_bytes;
  const double floor_ms = std::max(flops_ms, bytes_ms);
  nlohmann::ordered_json floor = {{"copy_bytes_per_second", floors.copied_bytes},
                                  {"flops_per_second", floors.rate(precision)},
                                  {"flops_ms", flops_ms},
                                  {"bytes_ms", bytes_ms},
                                  {"floor_ms", floor_ms},
                                  {"share", floor_ms / step_ms}};
  if (context.device() == Device::cuda) {
    const double launch_ms = 1e3 * bench::empty_graph_seconds(static_cast<int>(cost.launches));
    floor["launch_ms"] = launch_ms;
    floor["launch_share"] = launch_ms / step_ms;
  }
  return floor;
}

/// Milliseconds a step, one number a block, in ascending order.
std::vector<double> time_blocks(const Arguments& a, Context& context, BenchStep& step) {
  const Device device = context.device();
  const auto seconds_of = [&](int steps) {
    void* begin = RETORT_BACKEND(device, make_mark(context.launch()));
    for (int i = 0; i < steps; ++i) step.run();
    void* end = RETORT_BACKEND(device, make_mark(context.launch()));
    const double seconds = RETORT_BACKEND(device, seconds_between(begin, end));
    RETORT_BACKEND(device, release_mark(begin));
    RETORT_BACKEND(device, release_mark(end));
    return seconds;
  };
  double one = seconds_of(5) / 5;
  for (double warm = one * 5; warm < a.warm_up; warm += 5 * one) one = seconds_of(5) / 5;
  const int steps = a.block_seconds > 0 ? std::max(1, static_cast<int>(a.block_seconds / one)) : a.steps;
  std::vector<double> times;
  for (int block = 0; block < a.blocks; ++block) times.push_back(1e3 * seconds_of(steps) / steps);
  std::sort(times.begin(), times.end());
  return times;
}

int run(const Arguments& a) {
  const Device device = device_of(a.device);
  const int threads = use_threads(a.threads);
  const Precision precision = precision_of(a.precision, device);
  std::optional<bench::Floors> floors;
  if (a.floor) floors = bench::measure_floors(device == Device::cuda ? test::cuda_backend() : test::cpu_backend());
  Context context(device, precision);
  const auto step =
      a.teacher.empty() ? bench::make_given_logits_step(context, a) : bench::make_distillation_step(context, a);

  StepCost cost;
  RunOptions options;
  options.plans = a.plans;
  RunPlans plans(device, options, {}, [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); });
  plans.measure([&] {
    context.begin_measuring();
    context.clear_macs();
    const double bytes_before = context.bytes();
    step->run();
    cost.flops = 2 * context.macs();
    cost.bytes = context.bytes() - bytes_before;
  });
  context.end_measuring();
  {
    Profile profile(device);
    context.set_profile(&profile);
    step->run();
    context.set_profile(nullptr);
    cost.launches = profile.entries().size();
  }
  const std::vector<double> times = time_blocks(a, context, *step);
  // A recording knows what the libraries launched.
  if (step->recorded_launches() > 0) cost.launches = step->recorded_launches();
  const double median = times[times.size() / 2];
  RETORT_CHECK_AS(ErrorKind::diverged, step->applied(), "the loss is not finite, so its time means nothing");

  const Versions v = versions();
  const std::string on = device == Device::cuda ? cuda::device_info().identity() : "oneDNN " + v.onednn;
  const double rate = 1000.0 * a.batch / median;
  nlohmann::ordered_json line = {{"net", a.net},
                                 {"batch", a.batch},
                                 {"images_per_second", rate},
                                 {"median_ms", median},
                                 {"best_ms", times.front()},
                                 {"worst_ms", times.back()},
                                 {"peak_memory_mib", memory_mib(device)},
                                 {"parameters", step->student().parameters().trainable_count()},
                                 {"flops", cost.flops},
                                 {"bytes", cost.bytes},
                                 {"launches", cost.launches},
                                 {"version", "retort " + v.retort + " (" + v.revision + "), " + on},
                                 {"device", device == Device::cuda ? "cuda" : "cpu"},
                                 {"threads", threads},
                                 {"precision", a.precision},
                                 {"recorded", step->recorded_launches() > 0}};
  if (step->teacher() != nullptr) {
    line["teacher"] = a.teacher;
    line["teacher_parameters"] = step->teacher()->parameters().trainable_count();
  }
  if (floors) line["floor"] = floor_of(*floors, cost, context, median);
  if (a.json) {
    std::printf("%s\n", line.dump().c_str());
    return 0;
  }
  std::printf(
      "%s%s%s batch %d, %s, %s: %.0f images/s (median %.3f ms, %.3f to %.3f), %zu launches, %.2f GFLOP, %.1f MB\n",
      a.teacher.c_str(), a.teacher.empty() ? "" : " -> ", a.net.c_str(), a.batch,
      device == Device::cuda ? "cuda" : (std::to_string(threads) + " threads").c_str(), a.precision.c_str(), rate,
      median, times.front(), times.back(), cost.launches, 1e-9 * cost.flops, 1e-6 * cost.bytes);
  if (floors) std::printf("%s\n", line["floor"].dump().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Images a second of one training step");
  Arguments a;
  app.add_option("--net", a.net);
  app.add_option("--teacher", a.teacher,
                 "a network whose forward pass is part of the step; default: its logits are given");
  app.add_option("--batch", a.batch)->check(CLI::PositiveNumber);
  app.add_option("--threads", a.threads);
  app.add_option("--device", a.device)->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  app.add_option("--precision", a.precision)->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  app.add_option("--graph", a.graph, "auto: recorded and replayed, where the device can; off: launched one by one")
      ->check(CLI::IsMember({"auto", "off"}));
  app.add_option("--teacher-beside", a.teacher_beside, "whether the teacher's forward pass may run beside the student's")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--fold-teacher", a.fold_teacher, "whether the teacher's batch norm is folded into its convolutions")
      ->check(CLI::IsMember({"on", "off"}));
  app.add_option("--plans", a.plans, "as in training")->check(CLI::IsMember({"tuned", "heuristic"}));
  app.add_option("--steps", a.steps, "in a block")->check(CLI::PositiveNumber);
  app.add_option("--blocks", a.blocks)->check(CLI::PositiveNumber);
  app.add_option("--warm-up", a.warm_up, "seconds of steps that are not timed, at least five steps");
  app.add_option("--block-seconds", a.block_seconds, "length of a block instead of --steps");
  app.add_flag("--floor", a.floor, "measure the machine, and say which share of what it could do the step reaches");
  app.add_flag("--json", a.json);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(a);
  } catch (const Error& error) {
    std::fprintf(stderr, "retort_step: %s\n", error.what());
    return error.exit_code();
  }
}
