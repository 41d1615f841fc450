// A frozen network with its batch norm folded into its convolutions is the same function, in fewer kernels.
#include "nets/folding.h"

#include "tests/engine/expect_error.h"
#include "tests/nets/support.h"
#include "tests/support/backend.h"
#include "tests/support/unsettle.h"

using namespace retort;
using namespace retort::test;

namespace {

struct Pass {
  std::map<std::string, Values> taps;
  std::map<std::string, int> kernels;  ///< launches
};

Pass evaluate(Trained& trained, const HostBatch& batch) {
  Taps taps;
  for (const std::string& tap : trained.network->tap_names()) taps[tap];
  Tape tape(trained.context);  // recording, but nothing requires a gradient
  const Var images = trained.images(tape, batch.images, batch.rows);
  Profile profile(trained.context.device());
  trained.context.set_profile(&profile);
  trained.forward(tape, images, ForwardMode::evaluation(), &taps);
  trained.context.set_profile(nullptr);
  CHECK(tape.size() == 0);
  Pass pass;
  for (const auto& [name, tap] : taps) pass.taps[name] = download(trained.context, tap->value);
  for (const Profile::Entry& entry : profile.entries()) ++pass.kernels[entry.kernel];
  return pass;
}

std::vector<std::size_t> arg_max(const Values& logits, int classes) {
  std::vector<std::size_t> best;
  for (auto row = logits.begin(); row != logits.end(); row += classes) {
    best.push_back(static_cast<std::size_t>(std::max_element(row, row + classes) - row));
  }
  return best;
}

struct Expected {
  std::string net;
  int folded, norms;  ///< convolutions that take a batch norm in, and batch norms that are left
};

void check_same_function(const Backend& backend, const Expected& e) {
  INFO(e.net);
  constexpr int classes = 10;
  Trained trained(backend.device, Precision::fp32, e.net, colour32, classes, 5, Trainable::no);
  unsettle(trained.parameters());
  const HostBatch batch = random_batch(colour32, 6, classes, 77);
  const Pass unfolded = evaluate(trained, batch);
  trained.network->fold(trained.context);
  const Pass folded = evaluate(trained, batch);
  double worst = 0;
  for (const auto& [tap, values] : unfolded.taps)
    worst = std::max(worst, relative_distance(folded.taps.at(tap), values));
  MESSAGE(e.net << " on " << std::string(backend.name) << ": folded against unfolded, logits "
                << relative_distance(folded.taps.at("logits"), unfolded.taps.at("logits")) << ", worst tap " << worst);
  CHECK(worst < 1e-5);
  CHECK(arg_max(folded.taps.at("logits"), classes) == arg_max(unfolded.taps.at("logits"), classes));
  const auto launches = [](const Pass& pass, const char* kernel) {
    const auto found = pass.kernels.find(kernel);
    return found == pass.kernels.end() ? 0 : found->second;
  };
  CHECK(launches(folded, "fused_convolution") == e.folded);
  CHECK(launches(folded, "batch_norm_forward_evaluation") == e.norms);
  CHECK(launches(unfolded, "batch_norm_forward_evaluation") == e.folded + e.norms);
  CHECK(launches(unfolded, "fused_convolution") == 0);
  CHECK(launches(folded, "conv2d_forward") + e.folded == launches(unfolded, "conv2d_forward"));
}

}  // namespace

BACKEND_TEST("folding: the same taps, logits and answers for every kind of network") {
  for (const Expected& e :
       {Expected{"resnet8", 9, 0}, Expected{"resnet56", 57, 0}, Expected{"resnet8x4", 10, 0},
        Expected{"resnet18", 20, 0}, Expected{"vgg8", 5, 0}, Expected{"wrn-10-1", 3, 4}, Expected{"wrn-16-2", 6, 7}}) {
    check_same_function(backend, e);
  }
}

BACKEND_TEST("folding: a network without batch norm stays as it is") {
  Trained trained(backend.device, Precision::fp32, "lenet5", grey28, 10, 5, Trainable::no);
  const HostBatch batch = random_batch(grey28, 3, 10, 78);
  const Pass before = evaluate(trained, batch);
  trained.network->fold(trained.context);
  CHECK(evaluate(trained, batch).taps == before.taps);
}

BACKEND_TEST("folding: where gradients pass or batches are normalised by their own statistics, nothing is folded") {
  for (const char* net : {"resnet8", "wrn-10-1", "vgg8"}) {
    INFO(net);
    Trained trained(backend.device, Precision::fp32, net, colour32, 10, 5, Trainable::no);
    unsettle(trained.parameters());
    const HostBatch batch = random_batch(colour32, 4, 10, 79);
    const auto image_gradient = [&] {
      Tape tape(trained.context);
      const Var images = trained.images(tape, batch.images, batch.rows, true);
      const Var logits = trained.forward(tape, images, ForwardMode::evaluation());
      tape.deliver(logits, upload(trained.context, logits->shape(), DType::f32, normal_values(40, 80)));
      tape.backward();
      return download(trained.context, tape.take_gradient(*images));
    };
    const auto by_batch = [&] {
      Tape tape(trained.context, Tape::Recording::off);
      const Var images = trained.images(tape, batch.images, batch.rows);
      return download(trained.context, trained.forward(tape, images, {true, false, false})->value);
    };
    const Values gradient = image_gradient(), logits = by_batch();
    trained.network->fold(trained.context);
    CHECK(image_gradient() == gradient);
    CHECK(by_batch() == logits);
  }
}

BACKEND_TEST("folding: bf16 activations, weights rounded after folding") {
  if (!multiplies(backend, DType::bf16)) return;
  const HostBatch batch = random_batch(colour32, 6, 10, 81);
  for (const char* net : {"resnet8", "wrn-10-1"}) {
    INFO(net);
    const auto logits = [&](Precision precision, bool fold) {
      Trained trained(backend.device, precision, net, colour32, 10, 5, Trainable::no);
      unsettle(trained.parameters());
      if (fold) trained.network->fold(trained.context);
      return evaluate(trained, batch).taps.at("logits");
    };
    const Values exact = logits(Precision::fp32, false);
    // As in precision.cpp: at most a weight, a convolution and a batch norm are rounded in each of seven layers.
    const double activations = unit_roundoff(DType::bf16) / 2 * std::sqrt(1 + 3 * 7.0);
    CHECK(relative_distance(logits(Precision::bf16, false), exact) < activations);
    CHECK(relative_distance(logits(Precision::bf16, true), exact) < activations);
  }
}

BACKEND_TEST("folding: computed again, from parameters that changed") {
  Trained trained(backend.device, Precision::fp32, "resnet8", colour32, 10, 5, Trainable::no);
  const HostBatch batch = random_batch(colour32, 2, 10, 82);
  trained.network->fold(trained.context);
  const Values before = evaluate(trained, batch).taps.at("logits");
  unsettle(trained.parameters());
  trained.network->fold(trained.context);
  CHECK(relative_distance(evaluate(trained, batch).taps.at("logits"), before) > 0.01);
}

TEST_CASE("folding: networks that train, or have no parameters yet, are refused") {
  Trained trained(Device::cpu, Precision::fp32, "resnet8", grey28, 10);
  check_contains(message_of(ErrorKind::usage, [&] { trained.network->fold(trained.context); }), "conv1.weight");
  const auto bare = make_network("resnet8", grey28, 10);
  Context context;
  check_contains(message_of(ErrorKind::usage, [&] { bare->fold(context); }), "no values");
}
