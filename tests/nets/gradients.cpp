// Where gradients go: to the image, through taps, through two networks on one tape.
#include "tests/nets/support.h"
#include "tests/support/backend.h"

using namespace retort;
using namespace retort::test;

namespace {

/// sum(weights * logits) of a frozen network in evaluation mode, and its gradient with respect to the image.
struct Probe {
  Trained& trained;
  Values weights;

  double value(const Values& images, int rows) const {
    Tape tape(trained.context, Tape::Recording::off);
    return dot(logits(tape, trained.images(tape, images, rows)), weights);
  }
  Values gradient(const Values& images, int rows) const {
    Tape tape(trained.context);
    const Var x = trained.images(tape, images, rows, true);
    const Var y = trained.forward(tape, x, ForwardMode::evaluation());
    tape.deliver(y, upload(trained.context, y->shape(), DType::f32, weights));
    tape.backward();
    return download(trained.context, tape.take_gradient(*x));
  }

 private:
  Values logits(Tape& tape, const Var& x) const {
    return download(trained.context, trained.forward(tape, x, ForwardMode::evaluation())->value);
  }
};

double largest(const Values& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

void check_image_gradient(const Backend& backend, const std::string& net) {
  INFO(net);
  const int rows = 2, classes = 5;
  Trained trained(backend.device, Precision::fp32, net, grey28, classes, 11, Trainable::no);
  const Probe probe{trained, normal_values(static_cast<std::size_t>(rows * classes), 21)};
  const HostBatch batch = random_batch(grey28, rows, classes, 31);
  const Values gradient = probe.gradient(batch.images, rows);
  REQUIRE(gradient.size() == batch.images.size());
  // The function is piecewise linear and computed in fp32. Rounding costs a share of about 1e-7 |logits| / (step
  // |slope|) and the kinks inside the step a share that grows with it; at 0.002 both are below 2 % here.
  const double step = 0.002;
  const auto slope_along = [&](const Values& direction) {
    Values above = batch.images, below = batch.images;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      above[i] += step * direction[i];
      below[i] -= step * direction[i];
    }
    return (probe.value(above, rows) - probe.value(below, rows)) / (2 * step);
  };
  Values slopes, expected;
  for (std::size_t pixel = 0; pixel < gradient.size(); pixel += gradient.size() / 24 - 3) {
    Values direction(gradient.size());
    direction[pixel] = 1;
    slopes.push_back(slope_along(direction));
    expected.push_back(gradient[pixel]);
  }
  const double pixels = relative_distance(slopes, expected);
  // Uphill, all pixels count, and the slope is the length of the gradient.
  const double length = std::sqrt(dot(gradient, gradient));
  Values uphill = gradient;
  for (double& value : uphill) value /= length;
  const double along = std::abs(slope_along(uphill) / length - 1);
  MESSAGE(net << " on " << std::string(backend.name) << ": image gradient against central differences " << pixels
              << " (pixels) " << along << " (uphill)");
  CHECK(pixels < 0.05);
  CHECK(along < 0.01);
}

/// Gradients of a resnet8-like network after gradients arrived at a tap (scaled) and, if wanted, at the logits.
struct Injection {
  double tap_scale = 0;
  bool logits = false;
};

std::map<std::string, Values> gradients_of(Trained& trained, const HostBatch& batch, const std::string& tap,
                                           Injection injection) {
  trained.parameters().begin_step();
  Tape tape(trained.context);
  Taps taps{{tap, nullptr}};
  const Var y = trained.forward(tape, trained.images(tape, batch.images, batch.rows), ForwardMode::training(), &taps);
  const Var& at = taps.at(tap);
  const auto deliver = [&](const Var& variable, std::uint32_t stream, double factor) {
    Values values = normal_values(static_cast<std::size_t>(variable->value.count()), stream);
    for (double& value : values) value *= factor;
    tape.deliver(variable, upload(trained.context, variable->shape(), variable->value.dtype(), values));
  };
  if (injection.tap_scale != 0) deliver(at, 51, injection.tap_scale);
  if (injection.logits) deliver(y, 52, 1);
  taps.clear();
  tape.backward();
  return trained.gradients();
}

void check_tap(const Backend& backend, const std::string& net, const std::string& tap, const std::string& upstream,
               const std::string& downstream) {
  INFO(net << " " << tap);
  Trained trained(backend.device, Precision::fp32, net, grey28, 10);
  const HostBatch batch = random_batch(grey28, 4, 10, 41);
  const auto once = gradients_of(trained, batch, tap, {1, false});
  const auto twice = gradients_of(trained, batch, tap, {2, false});
  const auto below = gradients_of(trained, batch, tap, {0, true});
  const auto both = gradients_of(trained, batch, tap, {1, true});
  CHECK(largest(once.at(upstream)) > 0);
  CHECK(largest(once.at(downstream)) == 0);
  CHECK(largest(below.at(downstream)) > 0);
  Values doubled = concatenated(once), sum = concatenated(once);
  const Values rest = concatenated(below);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    doubled[i] *= 2;
    sum[i] += rest[i];
  }
  CHECK(relative_distance(concatenated(twice), doubled) < 1e-6);
  CHECK(relative_distance(concatenated(both), sum) < 1e-5);
}

}  // namespace

BACKEND_TEST("gradients: the image's, through a frozen network in evaluation mode") {
  for (const char* net : {"lenet5", "resnet8", "wrn-10-1", "vgg8"}) check_image_gradient(backend, net);
}

BACKEND_TEST("gradients: delivered at a tap they reach what lies before it, and only that") {
  check_tap(backend, "lenet5", "stage1", "conv1.weight", "conv2.weight");
  check_tap(backend, "lenet5", "pooled", "fc2.weight", "fc3.weight");
  check_tap(backend, "resnet8", "stem", "conv1.weight", "layer1.0.conv1.weight");
  check_tap(backend, "resnet8", "stage2", "layer2.0.conv2.weight", "layer3.0.conv1.weight");
  check_tap(backend, "wrn-10-1", "stem", "conv1.weight", "block1.layer.0.conv2.weight");
  check_tap(backend, "wrn-10-1", "stage1", "block1.layer.0.conv2.weight", "block2.layer.0.bn1.weight");
  check_tap(backend, "wrn-16-1", "stage3", "block3.layer.1.conv2.weight", "bn1.weight");
}

BACKEND_TEST("gradients: two networks on one tape share the image") {
  // The second network is made in the first one's context; each is also run alone.
  Trained first(backend.device, Precision::fp32, "resnet8", grey28, 10, 1);
  const auto second = make_network("wrn-10-1", grey28, 10);
  second->parameters().materialise(first.context, 2, Trainable::no);
  const HostBatch batch = random_batch(grey28, 3, 10, 61);
  const Values weights_first = normal_values(30, 71), weights_second = normal_values(30, 72);

  const auto image_gradient = [&](bool use_first, bool use_second) {
    first.parameters().begin_step();
    Tape tape(first.context);
    ForwardInput input;
    input.images = first.images(tape, batch.images, batch.rows, true);
    if (use_first) {
      const Var y = first.network->forward(tape, input, ForwardMode::training());
      tape.deliver(y, upload(first.context, y->shape(), DType::f32, weights_first));
    }
    if (use_second) {
      const Var y = second->forward(tape, input, ForwardMode::evaluation());
      tape.deliver(y, upload(first.context, y->shape(), DType::f32, weights_second));
    }
    tape.backward();
    CHECK(tape.size() == 0);
    return download(first.context, tape.take_gradient(*input.images));
  };
  Values sum = image_gradient(false, true);
  const Values alone = image_gradient(true, false);
  const auto gradients_alone = first.gradients();
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += alone[i];
  CHECK(relative_distance(image_gradient(true, true), sum) < 1e-6);
  CHECK(first.gradients() == gradients_alone);
}

BACKEND_TEST("gradients: a frozen network records nothing unless the image wants a gradient") {
  Trained frozen(backend.device, Precision::fp32, "resnet8", grey28, 10, 1, Trainable::no);
  const HostBatch batch = random_batch(grey28, 2, 10, 81);
  Tape tape(frozen.context);
  frozen.forward(tape, frozen.images(tape, batch.images, 2), ForwardMode::evaluation());
  CHECK(tape.size() == 0);
  frozen.forward(tape, frozen.images(tape, batch.images, 2, true), ForwardMode::evaluation());
  CHECK(tape.size() > 0);
}
