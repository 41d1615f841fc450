// Names to networks.
#include "nets/lenet.h"
#include "nets/names.h"
#include "nets/resnet.h"
#include "nets/vgg.h"
#include "nets/wide_resnet.h"

namespace retort {
namespace {

constexpr int smallest_image = 8;

[[noreturn]] void fail_unknown(const std::string& name) {
  fail(ErrorKind::usage, "unknown network '" + name + "' (known: " + joined(network_names()) + ")");
}

void check_format(const std::string& name, ImageFormat input, int classes, int smallest) {
  RETORT_CHECK(input.height >= smallest && input.width >= smallest, "network '", name, "' needs images of at least ",
               smallest, "x", smallest, ", not ", input.height, "x", input.width);
  RETORT_CHECK(input.channels >= 1 && input.channels <= 4, "network '", name, "' takes 1 to 4 channels, not ",
               input.channels);
  RETORT_CHECK(classes >= 2, "network '", name, "' needs at least 2 classes, not ", classes);
}

/// resnetD and resnetDx4; null when the name is not of that form.
std::unique_ptr<Network> make_cifar_resnet(const std::string& name, ImageFormat input, int classes) {
  std::string_view digits = std::string_view(name).substr(std::string_view("resnet").size());
  const bool wide = digits.ends_with("x4");
  if (wide) digits.remove_suffix(2);
  const auto depth = whole_number(digits);
  if (!depth) return nullptr;
  RETORT_CHECK(*depth >= 8 && *depth <= 110 && *depth % 6 == 2, "network '", name, "': depth ", *depth,
               " is not 6n+2 from 8 to 110 (or 18: resnet18)");
  const int blocks = (*depth - 2) / 6;
  const ResNetPlan plan = wide ? ResNetPlan{32, {64, 128, 256}, blocks} : ResNetPlan{16, {16, 32, 64}, blocks};
  return std::make_unique<ResNet>(name, input, classes, plan);
}

/// wrn-D-K; null when the name is not of that form.
std::unique_ptr<Network> make_wide_resnet(const std::string& name, ImageFormat input, int classes) {
  const std::string_view rest = std::string_view(name).substr(std::string_view("wrn-").size());
  const std::size_t dash = rest.find('-');
  if (dash == std::string_view::npos) return nullptr;
  const auto depth = whole_number(rest.substr(0, dash));
  const auto widening = whole_number(rest.substr(dash + 1));
  if (!depth || !widening) return nullptr;
  RETORT_CHECK(*depth >= 10 && *depth <= 100 && *depth % 6 == 4, "network '", name, "': depth ", *depth,
               " is not 6n+4 from 10 to 100");
  RETORT_CHECK(*widening <= 20, "network '", name, "': widening ", *widening, " is not from 1 to 20");
  return std::make_unique<WideResNet>(name, input, classes, *depth, *widening);
}

}  // namespace

std::unique_ptr<Network> make_network(const std::string& name, ImageFormat input, int classes) {
  const bool lenet = name == "lenet5" || name == "lenet5-half";
  const int smallest = lenet ? LeNet::smallest_image : name == "lenet-gaze" ? GazeLeNet::smallest_image : smallest_image;
  check_format(name, input, classes, smallest);
  std::unique_ptr<Network> network;
  if (name == "lenet5") return std::make_unique<LeNet>(name, input, classes, LeNetWidths{6, 16});
  if (name == "lenet5-half") return std::make_unique<LeNet>(name, input, classes, LeNetWidths{3, 8});
  if (name == "lenet-gaze") return std::make_unique<GazeLeNet>(name, input, classes);
  // As the published baseline of MPIIGaze has it: pre-activation, one block a stage.
  if (name == "resnet-preact-8") return std::make_unique<WideResNet>(name, input, classes, 10, 1);
  if (name == "vgg8") return std::make_unique<Vgg>(name, input, classes, 1);
  if (name == "vgg13") return std::make_unique<Vgg>(name, input, classes, 2);
  if (name == "resnet18") {
    return std::make_unique<ResNet>(name, input, classes, ResNetPlan{64, {64, 128, 256, 512}, 2});
  }
  if (name.starts_with("resnet")) network = make_cifar_resnet(name, input, classes);
  if (name.starts_with("wrn-")) network = make_wide_resnet(name, input, classes);
  if (!network) fail_unknown(name);
  return network;
}

std::vector<std::string> network_names() {
  return {"lenet5",   "lenet5-half", "resnet8",  "resnet14",  "resnet18",  "resnet20",
          "resnet32", "resnet44",    "resnet56", "resnet110", "resnet8x4", "resnet32x4",
          "wrn-16-1", "wrn-16-2",    "wrn-40-1", "wrn-40-2",  "vgg8",      "vgg13",
          "lenet-gaze", "resnet-preact-8"};
}

}  // namespace retort
