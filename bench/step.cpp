// Training-step benchmark: images a second of a student's step with the distillation loss, teacher logits given.
// The same step as bench/peers/pytorch_step.py; bench/compare_with_pytorch runs both.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "distill/device_step.h"
#include "distill/run_plans.h"
#include "distill/run_setup.h"
#include "distill/version.h"
#include "kernels/device_info.h"
#include "kernels/philox.h"

namespace {

using namespace retort;

struct Arguments {
  std::string net = "resnet20", device = "cpu", precision = "fp32", plans = "tuned";
  int batch = 128, threads = 0, steps = 20, blocks = 5;
  bool json = false;
};

/// A batch's operand in memory of the device, outside of the arena, which is measured around it.
struct Operand {
  DeviceBlock block;
  Tensor tensor;
};

Operand to_device(Context& context, Shape shape, DType dtype, const void* host) {
  Operand operand;
  operand.block = DeviceBlock(context.device(), static_cast<std::size_t>(shape.count()) * size_of(dtype));
  operand.tensor = Tensor(shape, dtype, context.device(), operand.block.data());
  copy_to_device(context, host, operand.tensor);
  return operand;
}

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

int run(const Arguments& a) {
  const Device device = device_of(a.device);
  const int threads = use_threads(a.threads);
  Context context(device, precision_of(a.precision, device));
  const bool lenet = a.net.rfind("lenet", 0) == 0;
  const ImageFormat input = lenet ? ImageFormat{28, 28, 1} : ImageFormat{32, 32, 3};
  const int classes = lenet ? 10 : 100;
  const auto network = make_network(a.net, input, classes);
  network->parameters().materialise(context, 1);
  DeviceStep state(context);
  state.host.learning_rate = 0.05F;
  state.host.weight_decay = 5e-4F;
  state.host.divisor = static_cast<float>(a.batch);
  state.push();

  const auto n = static_cast<std::int64_t>(a.batch);
  std::vector<float> pixels(static_cast<std::size_t>(n * input.height * input.width * input.channels));
  std::vector<float> teacher(static_cast<std::size_t>(n * classes));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(n)), samples(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = 2 * to_uniform(philox(1, Purpose::synthetic, i, 0, 0).v[0]) - 1;
  for (std::size_t i = 0; i < teacher.size(); ++i) teacher[i] = 4 * to_uniform(philox(2, Purpose::synthetic, i, 0, 0).v[0]);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i) % classes, samples[i] = static_cast<int>(i);
  std::vector<bfloat16> narrow;
  if (context.activation_dtype() == DType::bf16) {
    for (const float pixel : pixels) narrow.emplace_back(pixel);
  }
  const void* image_data = narrow.empty() ? static_cast<const void*>(pixels.data()) : narrow.data();
  const Operand images = to_device(context, {n, input.height, input.width, input.channels}, context.activation_dtype(),
                                   image_data);
  const Operand teacher_logits = to_device(context, {n, classes}, DType::f32, teacher.data());
  const Operand device_labels = to_device(context, {n}, DType::i32, labels.data());
  const Operand device_samples = to_device(context, {n}, DType::i32, samples.data());

  const auto step = [&] {
    network->parameters().begin_step();
    Tape tape(context);
    const Var output = network->forward(tape, {tape.variable(images.tensor, false), device_samples.tensor, state.device()},
                                        ForwardMode::training());
    const auto report = distillation_loss(tape, output, teacher_logits.tensor, device_labels.tensor, device_samples.tensor, {},
                                          state.device(), {}, {});
    tape.backward();
    optimizer_step(context, network->parameters(), {}, report.rows.loss, state.device());
  };
  const auto wait = [&] { RETORT_BACKEND(device, synchronize(context.launch())); };
  RunOptions options;
  options.plans = a.plans;
  RunPlans plans(device, options, {}, [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); });
  plans.measure([&] {
    context.begin_measuring();
    step();
  });
  context.end_measuring();
  for (int i = 0; i < 5; ++i) step();
  wait();
  std::vector<double> times;
  for (int block = 0; block < a.blocks; ++block) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < a.steps; ++i) step();
    wait();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / a.steps);
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  state.pull();
  RETORT_CHECK_AS(ErrorKind::diverged, state.host.verdict == static_cast<std::int32_t>(StepVerdict::applied),
                  "the loss is not finite, so its time means nothing");
  const Versions v = versions();
  const std::string on = device == Device::cuda ? cuda::device_info().identity() : "oneDNN " + v.onednn;
  const double rate = 1000.0 * a.batch / median;
  if (a.json) {
    const nlohmann::ordered_json line = {{"net", a.net}, {"batch", a.batch}, {"images_per_second", rate},
                                         {"median_ms", median}, {"best_ms", times.front()},
                                         {"peak_memory_mib", memory_mib(device)},
                                         {"parameters", network->parameters().trainable_count()},
                                         {"version", "retort " + v.retort + " (" + v.revision + "), " + on},
                                         {"device", device == Device::cuda ? "cuda" : "cpu"},
                                         {"threads", threads}, {"precision", a.precision}};
    std::printf("%s\n", line.dump().c_str());
  } else {
    std::printf("%-10s batch %d, %s, %s: %.0f images/s (median %.2f ms, best %.2f ms)\n", a.net.c_str(), a.batch,
                device == Device::cuda ? "cuda" : (std::to_string(threads) + " threads").c_str(), a.precision.c_str(), rate,
                median, times.front());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Images a second of one training step");
  Arguments a;
  app.add_option("--net", a.net);
  app.add_option("--batch", a.batch)->check(CLI::PositiveNumber);
  app.add_option("--threads", a.threads);
  app.add_option("--device", a.device)->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  app.add_option("--precision", a.precision)->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  app.add_option("--plans", a.plans)->check(CLI::IsMember({"tuned", "heuristic"}));
  app.add_option("--steps", a.steps)->check(CLI::PositiveNumber);
  app.add_option("--blocks", a.blocks)->check(CLI::PositiveNumber);
  app.add_flag("--json", a.json);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(a);
  } catch (const Error& error) {
    std::fprintf(stderr, "retort_step: %s\n", error.what());
    return error.exit_code();
  }
}
