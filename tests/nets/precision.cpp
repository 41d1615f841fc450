// bf16 against fp32.
#include "tests/nets/support.h"
#include "tests/support/backend.h"

using namespace retort;
using namespace retort::test;

namespace {

struct Pass {
  Values logits, gradient;
};

Pass run_pass(const Backend& backend, Precision precision, const std::string& net, const HostBatch& batch) {
  Trained trained(backend.device, precision, net, colour32, 10, 7);
  Pass pass;
  pass.logits = trained.step(batch).logits;
  pass.gradient = concatenated(trained.gradients());
  return pass;
}

/// relus: layers on the longest way from image to logits, each with its convolution and batch norm.
void check_bf16(const Backend& backend, const std::string& net, double relus) {
  INFO(net);
  const HostBatch batch = random_batch(colour32, 8, 10, 91);
  const Pass exact = run_pass(backend, Precision::fp32, net, batch);
  const Pass rounded = run_pass(backend, Precision::bf16, net, batch);
  const double logits = relative_distance(rounded.logits, exact.logits);
  const double gradient = relative_distance(rounded.gradient, exact.gradient);
  MESSAGE(net << " on " << std::string(backend.name) << ": bf16 against fp32, logits " << logits << ", gradient "
              << gradient);
  // One rounding is off by at most u = 2^-8 and by less than u / 2 in the root mean square. The image, and per layer
  // the weight, the convolution and the batch norm, are rounded independently, and no layer amplifies much behind a
  // batch norm: activations are off by e = u / 2 sqrt(1 + 3 relus), the logits, which average over positions, by less.
  const double unit = unit_roundoff(DType::bf16);
  const double activations = unit / 2 * std::sqrt(1 + 3 * relus);
  CHECK(logits < activations);
  CHECK(logits > unit / 100);  // it did round
  // The gradient's error is one of ReLU masks: of normally distributed entries a share of 0.8 e changes sign, and each
  // takes its whole gradient with it; squares of the shares add up over the layers.
  CHECK(gradient < std::sqrt(relus * 0.8 * activations));
}

}  // namespace

BACKEND_TEST("precision: bf16 passes stay near fp32") {
  if (!multiplies(backend, DType::bf16)) return;
  check_bf16(backend, "resnet8", 7);
  check_bf16(backend, "wrn-10-1", 7);
}
