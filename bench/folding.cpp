// A frozen network's forward pass with batch norm folded into its convolutions, against the same without: one network
// each, taking turns, so that whatever else the machine does meets both.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "distill/run_setup.h"
#include "kernels/philox.h"

namespace {

using namespace retort;

struct Arguments {
  std::vector<std::string> nets = {"resnet56", "resnet32x4", "wrn-40-2", "vgg13"};
  std::string device = "cpu", precision = "fp32";
  int batch = 64, threads = 0, rounds = 30, passes = 1;
};

struct Side {
  std::unique_ptr<Network> network;
  std::vector<double> seconds;  ///< of a pass, one a round
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const Arguments& a, const std::string& net) {
  const Device device = device_of(a.device);
  use_threads(a.threads);
  Context context(device, precision_of(a.precision, device));
  const bool lenet = net.rfind("lenet", 0) == 0;
  const ImageFormat format = lenet ? ImageFormat{28, 28, 1} : ImageFormat{32, 32, 3};
  const Shape shape{a.batch, format.height, format.width, format.channels};
  const DeviceBlock memory(device, static_cast<std::size_t>(shape.count()) * sizeof(float));
  const Tensor images(shape, context.activation_dtype(), device, memory.data());
  std::vector<float> pixels(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = 2 * to_uniform(philox(1, Purpose::synthetic, i, 0, 0).v[0]) - 1;
  }
  const std::vector<bfloat16> narrow(pixels.begin(), pixels.end());
  const bool bf16 = images.dtype() == DType::bf16;
  copy_to_device(context, bf16 ? static_cast<const void*>(narrow.data()) : pixels.data(), images);

  Side sides[2];  // unfolded, folded
  for (Side& side : sides) {
    side.network = make_network(net, format, 100);
    side.network->parameters().materialise(context, 1, Trainable::no);
  }
  sides[1].network->fold(context);
  const auto pass = [&](Side& side) {
    Tape tape(context, Tape::Recording::off);
    side.network->forward(tape, {tape.variable(images, false), {}}, ForwardMode::evaluation());
  };
  context.begin_measuring();
  for (Side& side : sides) pass(side);
  context.end_measuring();
  for (int round = -2; round < a.rounds; ++round) {  // two that do not count
    for (Side& side : sides) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < a.passes; ++i) pass(side);
      context.synchronize();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      if (round >= 0) side.seconds.push_back(took.count() / a.passes);
    }
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < sides[0].seconds.size(); ++i) ratios.push_back(sides[0].seconds[i] / sides[1].seconds[i]);
  const auto best = [](const Side& side) { return *std::min_element(side.seconds.begin(), side.seconds.end()); };
  const double least[] = {best(sides[0]), best(sides[1])};
  std::printf(
      "%-10s batch %d: best %8.3f ms, folded %8.3f ms, ratio %.3f; median %8.3f ms, folded %8.3f ms, ratio of "
      "neighbours %.3f\n",
      net.c_str(), a.batch, 1e3 * least[0], 1e3 * least[1], least[0] / least[1], 1e3 * median(sides[0].seconds),
      1e3 * median(sides[1].seconds), median(ratios));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A frozen network's forward pass, unfolded and folded in turn");
  Arguments a;
  app.add_option("--nets", a.nets)->delimiter(',');
  app.add_option("--batch", a.batch)->check(CLI::PositiveNumber);
  app.add_option("--threads", a.threads);
  app.add_option("--device", a.device)->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  app.add_option("--precision", a.precision)->check(CLI::IsMember({"fp32", "tf32", "bf16"}));
  app.add_option("--rounds", a.rounds)->check(CLI::PositiveNumber);
  app.add_option("--passes", a.passes, "in a row, each round")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    for (const std::string& net : a.nets) run(a, net);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "retort_folding: %s\n", error.what());
    return error.exit_code();
  }
}
