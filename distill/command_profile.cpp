// retort profile
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "distill/commands.h"
#include "distill/run_plans.h"
#include "distill/run_setup.h"
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

/// The rows of that many batches; the data begin again where they end.
std::vector<std::int32_t> first_batches(int count, int batch, int batches) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(batch) * static_cast<std::size_t>(batches));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i % static_cast<std::size_t>(count));
  return rows;
}

/// Trains a few steps as `teach` or `distill` would, from initial parameters, on the first batches of the data.
Profiled run(const ProfileArguments& a) {
  RunOptions o = a.options;
  resolve(o);
  use_threads(o.threads);
  const Dataset data = dataset_of(o);
  const Device device = device_of(o.device);
  Context context(device, precision_of(o.precision, device));
  const auto task = make_task(data);
  DeviceDataset train(context, data, data.train);
  const auto network = make_network(o.net, {data.height, data.width, data.channels}, task->outputs());
  StepPlan plan = step_plan_of(o, data);
  network->parameters().materialise(context, o.seed, Trainable::yes, plan.optimizer.moments());
  std::unique_ptr<Teacher> teacher;
  if (!o.teacher_net.empty()) {
    teacher = std::make_unique<Teacher>(
        context, make_network(o.teacher_net, {data.height, data.width, data.channels}, task->outputs()),
        o.fold_teacher != "off");
  }
  plan.network = network.get();
  plan.teacher = teacher.get();
  plan.task = task.get();
  plan.data = &train;
  plan.batch = std::min(o.batch, data.train.count());
  plan.record = false;  // a recording's launches cannot be told apart
  // As many rows as the steps take: the epoch is that long.
  StepRunner runner(context, plan, plan.batch * (warm_up + a.steps));
  DeviceStep step(context), training(context);
  for (DeviceStep* s : {&step, &training}) {
    s->host.weight_decay = static_cast<float>(o.weight_decay);
    s->host.clip_norm = static_cast<float>(o.clip_norm);
    s->host.confidence_threshold = static_cast<float>(o.confidence);
    s->host.random_share = static_cast<float>(o.random_share);
    s->push();
  }
  const auto one_step = [&] {
    if (o.regulation == "compact") {
      runner.train_compact(plan.batch, step, training);
    } else {
      runner.train(plan.batch, step);
    }
  };
  runner.begin_epoch(first_batches(data.train.count(), plan.batch, warm_up + a.steps),
                     std::vector<StepRates>(static_cast<std::size_t>(warm_up + a.steps),
                                            {static_cast<float>(o.lr), static_cast<float>(o.momentum)}));
  RunPlans plans(device, o, {}, [&](const std::string& line) {
    if (!a.json) std::printf("%s\n", line.c_str());
  });
  plans.measure([&] {
    context.begin_measuring();
    one_step();
  });
  context.end_measuring();
  for (int i = 0; i < warm_up; ++i) one_step();

  Profiled out;
  out.rows = plan.batch;
  Profile profile(device);
  context.set_profile(&profile);
  RETORT_BACKEND(device, synchronize(context.launch()));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < a.steps; ++i) one_step();
  RETORT_BACKEND(device, synchronize(context.launch()));
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  context.set_profile(nullptr);
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
