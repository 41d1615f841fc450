// A network's ONNX model is well-formed by ONNX's own checker, is made of the nodes that it should be, and computes the
// network's logits.
#include "nets/onnx/model.h"
#include "tests/engine/expect_error.h"
#include "tests/nets/support.h"
#include "tests/support/unsettle.h"

#ifdef RETORT_HAS_ONNX
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include "tests/nets/onnx_interpreter.h"
#endif

using namespace retort;
using namespace retort::test;

#ifndef RETORT_HAS_ONNX

TEST_CASE("onnx: a build without it says what is missing") {
  const auto network = make_network("lenet5", grey28, 10);
  const std::string message = message_of(ErrorKind::usage, [&] { onnx_model(*network); });
  check_contains(message, "built without ONNX");
  check_contains(message, "libonnx-dev");
}

#else

namespace {

/// Frozen, of a size that a plain interpreter is done with soon.
class Exported : public Trained {
 public:
  explicit Exported(const std::string& net, bool fold = false, const OnnxOptions& options = {}, int auxiliary = 0)
      : Trained(Device::cpu, Precision::fp32, net,
                {smallest_side(net), smallest_side(net), net.starts_with("lenet") ? 1 : 3, auxiliary}, 7, 1,
                Trainable::no) {
    unsettle(parameters());
    if (fold) network->fold(context);
    REQUIRE(model.ParseFromString(onnx_model(*network, options)));
  }

  /// The network's own, of images in NHWC order.
  Values logits(const Values& images_, int rows) {
    Tape tape(context, Tape::Recording::off);
    return download(context, forward(tape, images(tape, images_, rows), ForwardMode::evaluation())->value);
  }

  onnx::ModelProto model;
};

OnnxValue nchw(const Values& nhwc, ImageFormat format, int rows) {
  OnnxValue value{{rows, format.channels, format.height, format.width}, Values(nhwc.size())};
  const auto channels = static_cast<std::size_t>(format.channels);
  const auto area = static_cast<std::size_t>(format.height * format.width);
  for (std::size_t i = 0; i < nhwc.size(); ++i) {
    const std::size_t n = i / (area * channels), position = i / channels % area, c = i % channels;
    value.data[(n * channels + c) * area + position] = nhwc[i];
  }
  return value;
}

std::map<std::string, int> node_counts(const onnx::ModelProto& model) {
  std::map<std::string, int> counts;
  for (const onnx::NodeProto& node : model.graph().node()) ++counts[node.op_type()];
  return counts;
}

std::vector<std::int64_t> shape_of(const onnx::ValueInfoProto& info) {
  std::vector<std::int64_t> shape;
  for (const auto& dim : info.type().tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  return shape;
}

}  // namespace

// The deeper networks repeat the same blocks; bench/peers/check_exchange.py runs them all.
TEST_CASE("onnx: a network's model computes its logits, as it is and folded") {
  for (const std::string net :
       {"lenet5", "lenet5-half", "resnet8", "resnet14", "resnet8x4", "resnet18", "wrn-10-1", "wrn-16-2", "vgg8"}) {
    for (const bool fold : {false, true}) {
      CAPTURE(net);
      CAPTURE(fold);
      Exported exported(net, fold);
      for (const int rows : {1, 2}) {
        const Values images = random_batch(exported.network->input(), rows, 7, 40).images;
        const Values expected = exported.logits(images, rows);
        const Values found = OnnxInterpreter(exported.model.graph())
                                 .run({{"images", nchw(images, exported.network->input(), rows)}}, "logits");
        REQUIRE(found.size() == expected.size());
        CHECK(relative_distance(expected, found) < 1e-5);
      }
    }
  }
}

TEST_CASE("onnx: numbers beside the image are a second input") {
  for (const std::string net : {"lenet-gaze", "resnet-preact-8"}) {
    CAPTURE(net);
    Exported exported(net, false, {}, 2);
    REQUIRE(exported.model.graph().input_size() == 2);
    CHECK(exported.model.graph().input(1).name() == "auxiliary");
    CHECK(shape_of(exported.model.graph().input(1)) == std::vector<std::int64_t>{-1, 2});
    CHECK_NOTHROW(onnx::checker::check_model(exported.model));
    constexpr int rows = 3;
    const Values images = random_batch(exported.network->input(), rows, 7, 40).images, beside = normal_values(2 * rows, 41);
    Tape tape(exported.context, Tape::Recording::off);
    const Var auxiliary = tape.variable(upload(exported.context, {rows, 2}, DType::f32, beside), false);
    const Var logits =
        exported.forward(tape, exported.images(tape, images, rows), ForwardMode::evaluation(), nullptr, auxiliary);
    const Values found = OnnxInterpreter(exported.model.graph())
                             .run({{"images", nchw(images, exported.network->input(), rows)}, {"auxiliary", {{rows, 2}, beside}}},
                                  "logits");
    CHECK(relative_distance(download(exported.context, logits->value), found) < 1e-5);
  }
}

TEST_CASE("onnx: the model is valid, and shapes follow from its input") {
  for (const std::string& net : network_names()) {
    for (const bool fold : {false, true}) {
      CAPTURE(net);
      CAPTURE(fold);
      Exported exported(net, fold);
      onnx::ModelProto& model = exported.model;
      const ImageFormat in = exported.network->input();
      REQUIRE(model.graph().input_size() == 1);
      REQUIRE(model.graph().output_size() == 1);
      CHECK(model.graph().input(0).name() == "images");
      CHECK(shape_of(model.graph().input(0)) == std::vector<std::int64_t>{-1, in.channels, in.height, in.width});
      CHECK(model.graph().output(0).name() == "logits");
      CHECK(shape_of(model.graph().output(0)) == std::vector<std::int64_t>{-1, 7});
      CHECK(model.opset_import(0).version() == 13);
      CHECK_NOTHROW(onnx::checker::check_model(model));
      // What the library infers, without having been told of the output's shape.
      onnx::ModelProto inferred = model;
      inferred.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
      CHECK_NOTHROW(onnx::shape_inference::InferShapes(inferred, onnx::OpSchemaRegistry::Instance(), {true, 1, false}));
      CHECK(shape_of(inferred.graph().output(0)) == std::vector<std::int64_t>{-1, 7});
    }
  }
}

TEST_CASE("onnx: nodes and initialisers are those of the network") {
  using Counts = std::map<std::string, int>;
  const auto counts = [](const std::string& net, bool fold) { return node_counts(Exported(net, fold).model); };
  CHECK(counts("lenet5", false) == Counts{{"Conv", 2}, {"MaxPool", 2}, {"Relu", 4}, {"Flatten", 1}, {"Gemm", 3}});
  // 20 layers with weights and two projections; a ReLU behind the stem and two a block.
  CHECK(counts("resnet20", false) == Counts{{"Conv", 21},
                                            {"BatchNormalization", 21},
                                            {"Relu", 19},
                                            {"Add", 9},
                                            {"GlobalAveragePool", 1},
                                            {"Flatten", 1},
                                            {"Gemm", 1}});
  CHECK(counts("resnet20", true) ==
        Counts{{"Conv", 21}, {"Relu", 19}, {"Add", 9}, {"GlobalAveragePool", 1}, {"Flatten", 1}, {"Gemm", 1}});
  // Folded, each block's first batch norm and the last one of the network are left: they read sums.
  CHECK(counts("wrn-16-2", false) == Counts{{"Conv", 16},
                                            {"BatchNormalization", 13},
                                            {"Relu", 13},
                                            {"Add", 6},
                                            {"GlobalAveragePool", 1},
                                            {"Flatten", 1},
                                            {"Gemm", 1}});
  CHECK(counts("wrn-16-2", true) == Counts{{"Conv", 16},
                                           {"BatchNormalization", 7},
                                           {"Relu", 13},
                                           {"Add", 6},
                                           {"GlobalAveragePool", 1},
                                           {"Flatten", 1},
                                           {"Gemm", 1}});
  CHECK(counts("vgg13", false) == Counts{{"Conv", 10},
                                         {"BatchNormalization", 10},
                                         {"Relu", 10},
                                         {"MaxPool", 3},
                                         {"GlobalAveragePool", 1},
                                         {"Flatten", 1},
                                         {"Gemm", 1}});

  // One initialiser a tensor of the checkpoint, under its name and shape.
  Exported resnet("resnet8");
  std::map<std::string, std::vector<std::int64_t> > found, expected;
  for (const onnx::TensorProto& tensor : resnet.model.graph().initializer()) {
    found[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
  }
  for (const ParameterSpec& spec : resnet.parameters().specs()) expected[spec.name] = spec.logical.extents();
  for (const BufferSpec& spec : resnet.parameters().buffer_specs()) {
    if (!spec.integer) expected[spec.name] = spec.shape.extents();
  }
  CHECK(found == expected);
}

TEST_CASE("onnx: a model that normalises takes pixels") {
  OnnxOptions options;
  options.mean = {0.5F, 0.25F, 0.125F};
  options.std = {0.25F, 0.5F, 0.125F};
  options.metadata = {{"net", "resnet8"}};
  Exported exported("resnet8", false, options);
  CHECK_NOTHROW(onnx::checker::check_model(exported.model));
  REQUIRE(exported.model.metadata_props_size() == 1);
  CHECK(exported.model.metadata_props(0).value() == "resnet8");
  const Values pixels = random_values(8 * 8 * 3, 41, DType::f32, 0, 1);
  Values normalised = pixels;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    normalised[i] = (pixels[i] - static_cast<double>(options.mean[i % 3])) / static_cast<double>(options.std[i % 3]);
  }
  const Values found =
      OnnxInterpreter(exported.model.graph()).run({{"images", nchw(pixels, exported.network->input(), 1)}}, "logits");
  CHECK(relative_distance(exported.logits(normalised, 1), found) < 1e-5);
  options.std.pop_back();
  check_contains(message_of(ErrorKind::usage, [&] { onnx_model(*exported.network, options); }),
                 "3 means and 2 deviations");
}

TEST_CASE("onnx: a network without values is not exported") {
  const auto network = make_network("lenet5", grey28, 10);
  check_contains(message_of(ErrorKind::usage, [&] { onnx_model(*network); }), "no values");
}

#endif
