// The life of the arena: measure one step, reserve, train.
#include "tests/nets/support.h"
#include "tests/support/backend.h"

using namespace retort;
using namespace retort::test;

namespace {

constexpr int rows = 4, classes = 10, steps = 3;

void check_measured(const Backend& backend, const std::string& net) {
  INFO(net);
  Trained heap(backend.device, Precision::fp32, net, grey28, classes);
  Trained measured(backend.device, Precision::fp32, net, grey28, classes);
  const auto before = measured.saved();
  measured.context.begin_measuring();
  measured.step(random_batch(grey28, rows, classes, 100));
  measured.context.end_measuring();
  CHECK(measured.saved() == before);
  const std::size_t wanted = measured.context.activations().high_water();
  CHECK(wanted > 0);
  CHECK(measured.context.activations().reserved() == wanted);
  CHECK(!measured.context.activations().owners_at_peak().empty());

  std::vector<const void*> addresses;
  for (std::uint32_t i = 0; i < steps; ++i) {
    const HostBatch batch = random_batch(grey28, rows, classes, 100 + 10 * i);
    const Trained::StepResult expected = heap.step(batch);
    const Trained::StepResult result = measured.step(batch);
    CHECK(result.logits == expected.logits);
    CHECK(result.loss == expected.loss);
    if (i == 0) addresses = result.addresses;
    CHECK(result.addresses == addresses);
  }
  CHECK(measured.saved() == heap.saved());
  CHECK(measured.context.activations().high_water() == wanted);
}

}  // namespace

BACKEND_TEST("memory: a measured and reserved step gives the bits of a heap step, at the same addresses") {
  for (const char* net : {"lenet5", "resnet8", "wrn-10-1", "vgg8"}) check_measured(backend, net);
}
