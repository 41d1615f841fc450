// Names, parameter counts and state-dict keys.
#include "tests/nets/support.h"

using namespace retort;
using namespace retort::test;

namespace {

std::string message_of(const std::string& name, ImageFormat format = colour32, int classes = 10) {
  try {
    make_network(name, format, classes);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void append_batch_norm(std::vector<std::string>& keys, const std::string& name) {
  for (const char* key : {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}) {
    keys.push_back(name + "." + key);
  }
}

/// Names only, sorted.
std::vector<std::string> keys_of(const std::string& net) {
  const auto network = make_network(net, colour32, 100);
  std::vector<std::string> keys;
  for (const ParameterSpec& spec : network->parameters().specs()) keys.push_back(spec.name);
  for (const BufferSpec& spec : network->parameters().buffer_specs()) keys.push_back(spec.name);
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<std::string> sorted(std::vector<std::string> keys) {
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace

TEST_CASE("nets: parameter counts are the published ones") {
  const struct {
    const char* name;
    ImageFormat format;
    int classes;
    std::int64_t count;
  } published[] = {
      {"lenet5", grey28, 10, 61706},         {"lenet5-half", grey28, 10, 35820},
      {"resnet8x4", colour32, 100, 1233540}, {"resnet20", colour32, 100, 278324},
      {"resnet32", colour32, 100, 472756},   {"resnet32x4", colour32, 100, 7433860},
      {"resnet56", colour32, 100, 861620},   {"resnet110", colour32, 100, 1736564},
      {"resnet18", colour32, 10, 11173962},  {"resnet18", colour32, 100, 11220132},
      {"wrn-16-1", colour32, 100, 180916},   {"wrn-16-2", colour32, 100, 703284},
      {"wrn-40-1", colour32, 100, 569780},   {"wrn-40-2", colour32, 100, 2255156},
      {"vgg8", colour32, 100, 3965028},      {"vgg13", colour32, 100, 9462180},
  };
  for (const auto& entry : published) {
    INFO(entry.name);
    CHECK(make_network(entry.name, entry.format, entry.classes)->parameters().trainable_count() == entry.count);
  }
}

TEST_CASE("nets: lenet5 keys and shapes") {
  CHECK(keys_with_shapes(*make_network("lenet5", grey28, 10)) ==
        std::vector<std::string>{"conv1.weight [6, 1, 5, 5]", "conv1.bias [6]", "conv2.weight [16, 6, 5, 5]",
                                 "conv2.bias [16]", "fc1.weight [120, 400]", "fc1.bias [120]", "fc2.weight [84, 120]",
                                 "fc2.bias [84]", "fc3.weight [10, 84]", "fc3.bias [10]"});
  const std::vector<std::string> colour = keys_with_shapes(*make_network("lenet5", colour32, 10));
  CHECK(colour[0] == "conv1.weight [6, 3, 5, 5]");
  CHECK(colour[4] == "fc1.weight [120, 576]");
}

TEST_CASE("nets: vgg13 keys") {
  std::vector<std::string> expected{"classifier.weight", "classifier.bias"};
  for (int block = 0; block < 5; ++block) {
    for (const int conv : {0, 3}) {
      expected.push_back(text("block", block, ".", conv, ".weight"));
      expected.push_back(text("block", block, ".", conv, ".bias"));
      append_batch_norm(expected, text("block", block, ".", conv + 1));
    }
  }
  CHECK(keys_of("vgg13") == sorted(expected));
}

TEST_CASE("nets: resnet18 keys are torchvision's") {
  std::vector<std::string> expected{"conv1.weight", "fc.weight", "fc.bias"};
  append_batch_norm(expected, "bn1");
  for (int layer = 1; layer <= 4; ++layer) {
    for (int i = 0; i < 2; ++i) {
      for (int conv = 1; conv <= 2; ++conv) {
        expected.push_back(text("layer", layer, ".", i, ".conv", conv, ".weight"));
        append_batch_norm(expected, text("layer", layer, ".", i, ".bn", conv));
      }
    }
    if (layer == 1) continue;
    expected.push_back(text("layer", layer, ".0.downsample.0.weight"));
    append_batch_norm(expected, text("layer", layer, ".0.downsample.1"));
  }
  CHECK(expected.size() == 122);
  CHECK(keys_of("resnet18") == sorted(expected));
}

TEST_CASE("nets: a stem of 32 planes gives resnet8x4 a shortcut in every stage") {
  const std::vector<std::string> keys = keys_of("resnet8x4");
  for (int stage = 1; stage <= 3; ++stage) {
    const std::string key = text("layer", stage, ".0.downsample.0.weight");
    CHECK_MESSAGE(std::count(keys.begin(), keys.end(), key) == 1, key);
  }
}

TEST_CASE("nets: every listed name is built, and knows its name") {
  for (const std::string& name : network_names()) CHECK(make_network(name, colour32, 10)->name() == name);
  CHECK(make_network("wrn-28-10", colour32, 10)->parameters().trainable_count() == 36479194);  // arXiv:1605.07146
}

TEST_CASE("nets: names that are none") {
  for (const char* name : {"", "lenet", "resnet", "resnet-8", "resnet08", "resnet8x2", "resnet8x4x4", "resnetx4",
                           "wrn-", "wrn-16", "wrn-16-", "wrn-16-2-1", "wrn-a-b", "wrn-16-0", "wrn-+16-2", "vgg16",
                           "Resnet8", "resnet99999999999999999999"}) {
    INFO(name);
    const std::string message = message_of(name);
    CHECK(contains(message, text("unknown network '", name, "' (known: lenet5, ")));
  }
  for (const char* name : {"resnet2", "resnet9", "resnet116", "resnet18x4"}) {
    INFO(name);
    CHECK(contains(message_of(name), "is not 6n+2 from 8 to 110"));
  }
  for (const char* name : {"wrn-4-1", "wrn-17-2", "wrn-1000-1"}) {
    INFO(name);
    CHECK(contains(message_of(name), "is not 6n+4"));
  }
  CHECK(contains(message_of("wrn-16-21"), "widening 21"));
}

TEST_CASE("nets: formats that do not work") {
  CHECK(contains(message_of("resnet8", {7, 32, 3}), "at least 8x8, not 7x32"));
  CHECK(contains(message_of("lenet5", {28, 11, 1}), "at least 12x12, not 28x11"));
  CHECK(contains(message_of("resnet8", {32, 32, 0}), "1 to 4 channels, not 0"));
  CHECK(contains(message_of("resnet8", {32, 32, 5}), "1 to 4 channels, not 5"));
  CHECK(contains(message_of("vgg8", colour32, 1), "at least 2 classes, not 1"));
}
