// Files of other programs: under which names they fit a network, and what is said of one that does not.
#include "distill/state_dict.h"

#include "distill/checkpoint.h"
#include "nets/published_names.h"
#include "tests/distill/runs.h"
#include "tests/engine/expect_error.h"
#include "tests/support/unsettle.h"

using namespace retort;
using namespace retort::test;

namespace {

ImageFormat usual_input(const std::string& net) {
  if (net == "lenet-gaze") return {36, 60, 1};
  return net.starts_with("lenet") ? ImageFormat{28, 28, 1} : ImageFormat{32, 32, 3};
}

/// A network with random values.
std::unique_ptr<Network> filled(Context& context, const std::string& net, int classes = 5) {
  auto network = make_network(net, usual_input(net), classes);
  network->parameters().materialise(context, 3, Trainable::no);
  unsettle(network->parameters());
  return network;
}

/// As another program would have written it: its names, no metadata.
TensorFile published(const Network& network, const std::string& set, const std::string& prefix = {}) {
  TensorFile own, file;
  add_network(own, network, false);
  for (const auto& [name, tensor] : own.tensors) {
    file.tensors[prefix + published_name(network.name(), name, set)] = tensor;
  }
  return file;
}

/// What a network without values, after it was loaded from the file, would be saved as.
TensorFile loaded(Network& network, const TensorFile& file) {
  ParameterStore& store = network.parameters();
  const auto zeros = [](const Shape& shape) { return std::vector<float>(static_cast<std::size_t>(shape.count())); };
  for (std::size_t i = 0; i < store.specs().size(); ++i) store.write(i, zeros(store.specs()[i].logical));
  for (std::size_t i = 0; i < store.buffer_specs().size(); ++i)
    store.write_buffer(i, zeros(store.buffer_specs()[i].shape));
  load_network(file, "file", network, false);
  TensorFile out;
  add_network(out, network, false);
  return out;
}

/// Zeros, of the shapes of a network's tensors.
TensorFile shapes_of(const Network& network) {
  TensorFile file;
  const auto zeros = [](const Shape& shape) {
    return FileTensor::of(std::vector<float>(static_cast<std::size_t>(shape.count())), shape.extents());
  };
  for (const ParameterSpec& spec : network.parameters().specs()) file.tensors[spec.name] = zeros(spec.logical);
  for (const BufferSpec& spec : network.parameters().buffer_specs()) file.tensors[spec.name] = zeros(spec.shape);
  return file;
}

bool same_tensors(const TensorFile& a, const TensorFile& b) {
  return a.tensors.size() == b.tensors.size() &&
         std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), [](const auto& x, const auto& y) {
           return x.first == y.first && x.second.dtype == y.second.dtype && x.second.shape == y.second.shape &&
                  x.second.bytes == y.second.bytes;
         });
}

/// What is wrong with a file, for a network with 5 classes.
std::string complaint(const TensorFile& file, const std::string& net) {
  const auto network = make_network(net, usual_input(net), 5);
  const std::string message =
      message_of(ErrorKind::input, [&] { match_state_dict(file, "some.safetensors", *network); });
  CHECK(message.starts_with("some.safetensors does not fit " + net + ": "));
  return message;
}

}  // namespace

TEST_CASE("state dict: every network comes back bit for bit from under every name") {
  Context context;
  for (const std::string& net : network_names()) {
    const auto network = filled(context, net);
    TensorFile own;
    add_network(own, *network, false);
    for (const std::string& set : name_sets(net)) {
      CAPTURE(net);
      CAPTURE(set);
      CHECK(same_tensors(loaded(*network, published(*network, set)), own));
    }
    CHECK(same_tensors(loaded(*network, published(*network, name_sets(net).back(), "module.")), own));
  }
}

TEST_CASE("state dict: num_batches_tracked may be missing, of another shape, or nobody's") {
  Context context;
  const auto network = filled(context, "resnet8");
  TensorFile file = published(*network, "retort");
  file.tensors["bn1.num_batches_tracked"].shape = {1};
  file.tensors.erase("layer1.0.bn1.num_batches_tracked");
  file.tensors["layer7.bn1.num_batches_tracked"] = FileTensor::of(std::vector<std::int64_t>{4}, {});
  TensorFile own;
  add_network(own, *network, false);
  const TensorFile back = loaded(*network, file);
  CHECK(back.at("bn1.num_batches_tracked").to_integers() == own.at("bn1.num_batches_tracked").to_integers());
  CHECK(back.at("layer1.0.bn1.num_batches_tracked").to_integers() == std::vector<std::int64_t>{0});
  CHECK(back.tensors.size() == own.tensors.size());
}

TEST_CASE("state dict: half and double precision are read, whole numbers are not weights") {
  Context context;
  const auto network = filled(context, "resnet8");
  TensorFile file = published(*network, "retort");
  const std::vector<double> doubles{1, 2, 3, 4, 0.5};
  FileTensor bias{FileDType::f64, {5}, std::vector<std::uint8_t>(40)};
  std::memcpy(bias.bytes.data(), doubles.data(), 40);
  file.tensors["fc.bias"] = bias;
  CHECK(loaded(*network, file).at("fc.bias").to_floats() == std::vector<float>{1, 2, 3, 4, 0.5F});
  file.tensors["fc.bias"] = FileTensor::of(std::vector<std::int32_t>{1, 2, 3, 4, 5}, {5});
  check_contains(complaint(file, "resnet8"), "not floating-point: 'fc.bias'");
}

TEST_CASE("state dict: all that does not fit is said at once") {
  Context context;
  TensorFile file = published(*filled(context, "resnet8"), "retort", "module.");
  file.tensors.erase("module.layer1.0.conv1.weight");
  file.tensors["module.conv1.weight"] =
      FileTensor::of(std::vector<float>(64 * 3 * 49), {64, 3, 7, 7});  // ImageNet's stem
  file.tensors["module.layer4.0.conv1.weight"] = FileTensor::of(std::vector<float>(1), {1});
  file.tensors["fc.weight"] = file.tensors["module.fc.weight"];
  const std::string message = complaint(file, "resnet8");
  check_contains(message, "no tensor 'layer1.0.conv1.weight' [16, 16, 3, 3]");
  check_contains(message, "'module.conv1.weight' has shape [64, 3, 7, 7], not [16, 3, 3, 3]");
  check_contains(message, "not of this network: 'module.layer4.0.conv1.weight'");
  check_contains(message, "two names of the same: 'fc.weight' and 'module.fc.weight'");
  CHECK(message.find("It fits") == std::string::npos);
}

TEST_CASE("state dict: many complaints are counted, and the network that fits is named") {
  Context context;
  const TensorFile file = published(*filled(context, "resnet14"), "repdistiller");
  const std::string deeper = complaint(file, "resnet20");
  check_contains(deeper, "no tensor 'layer1.2.conv1.weight' [16, 16, 3, 3], ");
  check_contains(deeper, " and 26 more");  // three blocks of ten tensors, less those four
  CHECK(deeper.ends_with(". It fits resnet14"));
  CHECK(complaint(file, "wrn-16-2").ends_with(". It fits resnet14"));
  CHECK(complaint(published(*filled(context, "wrn-16-1"), "repdistiller"), "vgg8").ends_with(". It fits wrn-16-1"));
  CHECK(complaint(published(*filled(context, "lenet5-half"), "retort"), "lenet5").ends_with(". It fits lenet5-half"));
}

TEST_CASE("state dict: a VGG of other names is another network, and refused") {
  Context context;
  TensorFile file;
  for (const auto& [name, tensor] : published(*filled(context, "vgg8"), "retort").tensors) {
    file.tensors[name.starts_with("block0.") ? "features." + name.substr(7) : name] = tensor;
  }
  check_contains(complaint(file, "vgg8"), "not of this network: 'features.0.bias'");
}

TEST_CASE("state dict: a checkpoint has its own names only") {
  Context context;
  TensorFile file;
  add_network(file, *filled(context, "resnet8"), false);
  CHECK(is_checkpoint(file));
  file.tensors["linear.bias"] = file.tensors["fc.bias"];
  file.tensors.erase("fc.bias");
  check_contains(complaint(file, "resnet8"), "no tensor 'fc.bias' [5]; not of this network: 'linear.bias'");
}

TEST_CASE("state dict: names that a message must not show as they are") {
  Context context;
  TensorFile file = published(*filled(context, "resnet8"), "retort");
  file.tensors["evil\n\x1b[31m" + std::string(100'000, 'a')] = FileTensor::of(std::vector<float>{1}, {1});
  FileTensor deep = FileTensor::of(std::vector<float>{1}, std::vector<std::int64_t>(50'000, 1));
  file.tensors["fc.bias"] = deep;
  const std::string message = complaint(file, "resnet8");
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.find('\x1b') == std::string::npos);
  CHECK(message.size() < 2000);
}

TEST_CASE("state dict: the format of a network is read from its first and last layer") {
  for (const std::string& net : network_names()) {
    CAPTURE(net);
    const NetworkFormat format = format_of(shapes_of(*make_network(net, usual_input(net), 11)), "file", net, "");
    CHECK(format.net == net);
    CHECK(format.classes == 11);
    CHECK(to_text(format.input) == to_text(usual_input(net)));
  }
  // A LeNet's hidden layer knows the size of the image; others are told.
  CHECK(to_text(format_of(shapes_of(*make_network("lenet5", {32, 32, 3}, 4)), "file", "lenet5", "").input) ==
        "32x32x3");
  CHECK(to_text(format_of(shapes_of(*make_network("lenet-gaze", {24, 24, 1}, 4)), "file", "lenet-gaze", "").input) ==
        "24x24x1");
  CHECK(parse_image_format("36x60x1x2", ErrorKind::usage, "--input").auxiliary == 2);
  Context context;
  const TensorFile resnet = published(*filled(context, "resnet8"), "retort");
  CHECK(to_text(format_of(resnet, "file", "resnet8", "64x48x3").input) == "64x48x3");
  TensorFile checkpoint;
  add_network(checkpoint, *filled(context, "resnet8"), false);
  CHECK(format_of(checkpoint, "file", "", "").net == "resnet8");
  check_contains(message_of(ErrorKind::input, [&] { format_of(checkpoint, "file", "", "64x64x3"); }),
                 "made for images of 32x32x3");
  check_contains(message_of(ErrorKind::input, [&] { format_of(resnet, "file", "", ""); }), "which network it is");
  checkpoint.metadata["classes"] = "1000000000000";
  check_contains(message_of(ErrorKind::input, [&] { format_of(checkpoint, "file", "", ""); }), "1000000000000");
  for (const std::string bad :
       {"", "32", "32x32", "32x32x3x1x1", "32x32x3x0", "32x32x0", "032x32x3", "32x32x3 ", "-1x2x3", "5000x32x3", "xx"}) {
    CAPTURE(bad);
    check_contains(message_of(ErrorKind::usage, [&] { parse_image_format(bad, ErrorKind::usage, "--input"); }),
                   "--input: '" + bad);
  }
}

TEST_CASE("state dict: a file that claims what it does not hold is refused before memory is made for it") {
  TensorFile file;
  file.metadata = {{"retort_schema", "1"}, {"net", "wrn-16-2"}, {"classes", "16000000"}, {"input", "4096x4096x3"}};
  const NetworkFormat format = format_of(file, "file", "", "");
  const auto network = make_network(format.net, format.input, format.classes);  // names and shapes, no values
  check_contains(message_of(ErrorKind::input, [&] { match_state_dict(file, "file", *network); }), "no tensor");
}
