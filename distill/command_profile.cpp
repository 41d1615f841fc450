// retort profile
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "distill/commands.h"
#include "distill/run_setup.h"
#include "distill/trial_steps.h"
#include "distill/version.h"
#include "engine/atomic_file.h"
#include "kernels/device_info.h"

namespace retort {
namespace {

struct ProfileArguments {
  RunOptions options;
  std::string by = "kernel", trace;
  int steps = 20;
  bool json = false;
};

struct Profiled {
  std::vector<Profile::Entry> entries;
  double seconds = 0;  ///< of all steps by the host's clock, what lies between kernels included
  int rows = 0;
};

ProfileBy by_of(const std::string& name) {
  return name == "layer" ? ProfileBy::layer : name == "phase" ? ProfileBy::phase : ProfileBy::kernel;
}

constexpr int warm_up = 3;

/// Trains a few steps as `teach` or `distill` would, from initial parameters, on the first batches of the data.
Profiled run(const ProfileArguments& a) {
  RunOptions o = a.options;
  resolve(o);
  use_threads(o.threads);
  const Dataset data = dataset_of(o);
  // Not recorded: a recording's launches cannot be told apart.
  TrialSteps steps(o, data, warm_up + a.steps, false, [&](const std::string& line) {
    if (!a.json) std::printf("%s\n", line.c_str());
  });
  for (int i = 0; i < warm_up; ++i) steps.one_step();

  Profiled out;
  out.rows = steps.batch();
  Profile profile(steps.context().device());
  steps.context().set_profile(&profile);
  steps.wait();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < a.steps; ++i) steps.one_step();
  steps.wait();
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  steps.context().set_profile(nullptr);
  out.entries = profile.entries();
  return out;
}

void print(const ProfileArguments& a, const Profiled& profiled) {
  double inside = 0;
  for (const Profile::Entry& entry : profiled.entries) inside += entry.seconds / a.steps;
  const double step = profiled.seconds / a.steps;
  const auto lines = summarise(profiled.entries, by_of(a.by), a.steps);
  if (a.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const ProfileLine& line : lines) {
      list.push_back({{"name", line.name}, {"calls", line.calls}, {"seconds", line.seconds}, {"share", line.share}});
    }
    const nlohmann::ordered_json object = {{"by", a.by},           {"steps", a.steps},         {"batch", profiled.rows},
                                           {"step_seconds", step}, {"kernel_seconds", inside}, {"lines", list}};
    std::printf("%s\n", object.dump().c_str());
    return;
  }
  std::printf(
      "%d steps of batch %d: %.3f ms a step, %.3f ms of it in kernels, %.0f images/s (each kernel is timed, which "
      "costs a little)\n\n",
      a.steps, profiled.rows, 1e3 * step, 1e3 * inside, profiled.rows / step);
  std::printf("%-34s %8s %10s %7s\n", a.by.c_str(), "a step", "ms", "share");
  for (const ProfileLine& line : lines) {
    std::printf("%-34s %8.1f %10.4f %6.1f%%\n", line.name.empty() ? "(other)" : line.name.c_str(), line.calls,
                1e3 * line.seconds, 100 * line.share);
  }
}

}  // namespace

void add_profile_command(CLI::App& app) {
  auto a = std::make_shared<ProfileArguments>();
  RunOptions& o = a->options;
  o.data = "synthetic:train=2048,test=16";
  o.augment = "crop-flip";
  o.out = "-";
  CLI::App* command =
      app.add_subcommand("profile", "Where the time of a training step goes: by kernel, layer or phase");
  command->add_option("--data", o.data, "data set, as for teach")->capture_default_str();
  command->add_option("--net", o.net, "network to train; default: the recipe's");
  command->add_option("--teacher-net", o.teacher_net, "distil from a teacher of this kind (with initial parameters)");
  command->add_option("--fold-teacher", o.fold_teacher, "its batch norm folded into its convolutions: auto, on, off")
      ->check(CLI::IsMember({"auto", "on", "off"}));
  command->add_option("--regulation", o.regulation, "off, mask or compact")
      ->check(CLI::IsMember({"off", "mask", "compact"}));
  command->add_option("--confidence", o.confidence, "threshold of the rule");
  command->add_option("--scoring", o.scoring, "compact: batch norm of the scoring pass, training or evaluation");
  command->add_option("--batch", o.batch, "batch size");
  command->add_option("--optimizer", o.optimizer, "sgd or adamw");
  command->add_option("--augment", o.augment, "recipe, none, crop, flip, crop-flip")->capture_default_str();
  command->add_option("--device", o.device, "auto, cpu or cuda");
  command->add_option("--precision", o.precision, "fp32, tf32 or bf16");
  command->add_option("--threads", o.threads, "CPU threads; 0: all cores");
  command->add_option("--steps", a->steps, "steps that are timed, after three that are not")
      ->check(CLI::Range(1, 10000));
  command->add_option("--by", a->by, "what is added up: kernel, layer or phase")
      ->check(CLI::IsMember({"kernel", "layer", "phase"}));
  command->add_option("--trace", a->trace, "write every launch to this file, for chrome://tracing or Perfetto");
  command->add_flag("--json", a->json, "one JSON object: by, steps, batch, step_seconds, kernel_seconds, lines");
  command->callback([a] {
    const Profiled profiled = run(*a);
    print(*a, profiled);
    if (a->trace.empty()) return;
    const Device device = device_of(a->options.device);
    write_file_atomically(a->trace, to_trace(profiled.entries, arithmetic_of(device)));
    if (!a->json) std::printf("\n%zu launches are in %s\n", profiled.entries.size(), a->trace.c_str());
  });
}

}  // namespace retort
