// Shapes of logits and taps.
#include "tests/nets/support.h"
#include "tests/support/backend.h"

using namespace retort;
using namespace retort::test;

namespace {

/// Taps of a pass that is only measured: shapes are right, nothing is computed.
std::map<std::string, Shape> measured_shapes(const std::string& name, ImageFormat format, int rows, int classes) {
  Trained trained(Device::cpu, Precision::fp32, name, format, classes, 1, Trainable::no);
  Taps taps;
  for (const std::string& tap : trained.network->tap_names()) taps[tap];
  trained.context.begin_measuring();
  Tape tape(trained.context, Tape::Recording::off);
  const Values zeros(static_cast<std::size_t>(rows * format.height * format.width * format.channels));
  const Var logits = trained.forward(tape, trained.images(tape, zeros, rows), ForwardMode::training(), &taps);
  CHECK(taps.at("logits") == logits);
  CHECK(logits->value.dtype() == DType::f32);
  CHECK(taps.at("pooled")->value.dtype() == DType::f32);
  std::map<std::string, Shape> shapes;
  for (const auto& tap : taps) {
    REQUIRE_MESSAGE(tap.second, tap.first << " was not filled in");
    shapes[tap.first] = tap.second->shape();
  }
  return shapes;
}

using Shapes = std::map<std::string, Shape>;

}  // namespace

TEST_CASE("nets: logits of every network for both common formats and the smallest") {
  for (const std::string& name : network_names()) {
    std::vector<ImageFormat> formats{grey28, colour32};
    // Initialising millions of parameters is slow, and their networks are members of the same families.
    if (make_network(name, colour32, 7)->parameters().trainable_count() < 3'000'000) {
      const int small = smallest_side(name);
      formats.push_back({small, small, 4});
      formats.push_back({small + 1, 19, 2});
    }
    for (const ImageFormat format : formats) {
      INFO(name << " on " << format.height << "x" << format.width << "x" << format.channels);
      CHECK(measured_shapes(name, format, 3, 7).at("logits") == Shape({3, 7}));
    }
  }
}

TEST_CASE("nets: shapes of the taps") {
  CHECK(measured_shapes("lenet5", grey28, 2, 10) ==
        Shapes{{"stage1", {2, 14, 14, 6}}, {"stage2", {2, 5, 5, 16}}, {"pooled", {2, 84}}, {"logits", {2, 10}}});
  CHECK(measured_shapes("resnet20", colour32, 2, 100) == Shapes{{"stem", {2, 32, 32, 16}},
                                                                {"stage1", {2, 32, 32, 16}},
                                                                {"stage2", {2, 16, 16, 32}},
                                                                {"stage3", {2, 8, 8, 64}},
                                                                {"pooled", {2, 64}},
                                                                {"logits", {2, 100}}});
  CHECK(measured_shapes("resnet8x4", colour32, 2, 100).at("stage3") == Shape({2, 8, 8, 256}));
  CHECK(measured_shapes("resnet18", colour32, 2, 10).at("stage4") == Shape({2, 4, 4, 512}));
  CHECK(measured_shapes("wrn-16-2", colour32, 2, 100) == Shapes{{"stem", {2, 32, 32, 16}},
                                                                {"stage1", {2, 32, 32, 32}},
                                                                {"stage2", {2, 16, 16, 64}},
                                                                {"stage3", {2, 8, 8, 128}},
                                                                {"pooled", {2, 128}},
                                                                {"logits", {2, 100}}});
  CHECK(measured_shapes("vgg8", colour32, 2, 100) == Shapes{{"stem", {2, 32, 32, 64}},
                                                            {"stage1", {2, 16, 16, 128}},
                                                            {"stage2", {2, 8, 8, 256}},
                                                            {"stage3", {2, 4, 4, 512}},
                                                            {"stage4", {2, 4, 4, 512}},
                                                            {"pooled", {2, 512}},
                                                            {"logits", {2, 100}}});
}

TEST_CASE("nets: a tap or an image format that the network does not have") {
  Trained trained(Device::cpu, Precision::fp32, "lenet5", grey28, 10, 1, Trainable::no);
  Tape tape(trained.context, Tape::Recording::off);
  const Var images = trained.images(tape, Values(28 * 28), 1);
  Taps taps{{"stage9", nullptr}};
  CHECK_THROWS_WITH_AS(trained.forward(tape, images, ForwardMode::evaluation(), &taps),
                       "network 'lenet5' has no tap 'stage9' (known: stage1, stage2, pooled, logits)", Error);
  const Var turned = tape.variable(images->value.reshaped({1, 14, 56, 1}), false);
  CHECK_THROWS_WITH_AS(trained.forward(tape, turned, ForwardMode::evaluation()),
                       "lenet5: images of shape [1, 14, 56, 1], expected [N, 28, 28, 1]", Error);
}

BACKEND_TEST("nets: a wide residual network's stage taps are the sums, and the next batch norm reads them") {
  // With gamma 1 and statistics 0 and 1 the last batch norm is x / sqrt(1 + epsilon), so pooled = mean(relu(stage3)).
  Trained trained(backend.device, Precision::fp32, "wrn-10-1", grey28, 10, 3, Trainable::no);
  const HostBatch batch = random_batch(grey28, 2, 10, 5);
  Tape tape(trained.context, Tape::Recording::off);
  Taps taps{{"stage3", nullptr}, {"pooled", nullptr}};
  trained.forward(tape, trained.images(tape, batch.images, 2), ForwardMode::evaluation(), &taps);
  const Values sums = download(trained.context, taps.at("stage3")->value);
  const Values pooled = download(trained.context, taps.at("pooled")->value);
  const std::size_t channels = 64, positions = 49;
  Values expected(pooled.size());
  bool negative = false;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t n = i / (channels * positions);
    negative = negative || sums[i] < 0;
    expected[n * channels + i % channels] += std::max(sums[i], 0.0) / std::sqrt(1 + 1e-5) / positions;
  }
  CHECK(negative);
  CHECK(relative_distance(pooled, expected) < 1e-6);
}

BACKEND_TEST("nets: evaluation leaves the statistics alone, training updates them") {
  Trained trained(backend.device, Precision::fp32, "resnet8", grey28, 10);
  const HostBatch batch = random_batch(grey28, 4, 10, 9);
  const auto before = trained.saved();
  for (const ForwardMode mode : {ForwardMode::evaluation(), ForwardMode{true, false, false}, ForwardMode::training()}) {
    trained.parameters().begin_step();
    Tape tape(trained.context, Tape::Recording::off);
    trained.forward(tape, trained.images(tape, batch.images, 4), mode);
    CHECK(trained.saved() == before);  // only commit_step changes what is in force
    for (std::size_t i = 0; i < trained.parameters().buffer_specs().size(); ++i) {
      const Values pending = download(trained.context, trained.parameters().buffer_pending(i));
      const std::string& name = trained.parameters().buffer_specs()[i].name;
      CHECK_MESSAGE((pending != before.at(name)) == mode.update_statistics, name);
    }
  }
}
