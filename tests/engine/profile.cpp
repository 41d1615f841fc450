// A profile has every launch in its order, with its layer and phase, and adds them up.
#include "engine/profile.h"

#include <nlohmann/json.hpp>

#include "engine/ops.h"
#include "tests/support/device_tensors.h"

namespace retort::test {
namespace {

/// A convolution with ReLU, forward and backward.
std::vector<Profile::Entry> profile_of(Device device) {
  Context context(device);
  const Var weight = parameter(device_tensor(device, {4, 3, 3, 2}, Values(72, 0.1)));
  weight->name = "stem.conv.weight";
  const Var x = leaf(device_tensor(device, {1, 5, 5, 2}, Values(50, 1)), false);
  Profile profile(device);
  context.set_profile(&profile);
  {
    const PhaseScope phase(context, "step");
    Tape tape(context);
    const Var y = relu(tape, conv2d(tape, x, weight, nullptr, {1, 0}));
    tape.deliver(y, device_tensor(device, {1, 3, 3, 4}, Values(36, 1)));
    tape.backward();
  }
  context.set_profile(nullptr);
  Tape tape(context, Tape::Recording::off);
  relu(tape, leaf(device_tensor(device, {4}, Values(4, 1)), false));  // after the profile
  return profile.entries();
}

}  // namespace

BACKEND_TEST("profile: every launch in its order, backward passes under the layer of the forward pass") {
  const std::vector<Profile::Entry> entries = profile_of(backend.device);
  REQUIRE(entries.size() == 4);
  const char* kernels[] = {"conv2d_forward", "relu_forward", "relu_backward", "conv2d_backward_filter"};
  double before = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CHECK(entries[i].kernel == kernels[i]);
    CHECK(entries[i].layer == (i == 0 || i == 3 ? "stem.conv" : ""));
    CHECK(entries[i].phase == "step");
    CHECK(entries[i].begin >= before);
    CHECK(entries[i].seconds >= 0);
    before = entries[i].begin + entries[i].seconds;
  }
  CHECK(entries[0].begin == 0);
}

TEST_CASE("profile: launches are added up by kernel, layer or phase, the longest first") {
  const std::vector<Profile::Entry> entries = {
      {"a", "one", "forward", 0, 1}, {"b", "one", "backward", 1, 5}, {"a", "two", "forward", 6, 2}};
  const auto kernels = summarise(entries, ProfileBy::kernel, 2);
  REQUIRE(kernels.size() == 2);
  CHECK(kernels[0].name == "b");
  CHECK(kernels[0].seconds == 2.5);
  CHECK(kernels[0].calls == 0.5);
  CHECK(kernels[0].share == 0.625);
  CHECK(kernels[1].name == "a");
  CHECK(kernels[1].calls == 1);
  const auto layers = summarise(entries, ProfileBy::layer, 1);
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].name == "one");
  CHECK(layers[0].seconds == 6);
  CHECK(summarise(entries, ProfileBy::phase, 1)[0].name == "backward");
  CHECK(summarise({}, ProfileBy::phase, 1).empty());
}

TEST_CASE("profile: the trace is JSON with complete events in microseconds") {
  const auto trace = nlohmann::json::parse(to_trace({{"a", "one", "forward", 0.5, 0.25}}, "a \"quoted\" device"));
  REQUIRE(trace["traceEvents"].size() == 2);
  CHECK(trace["traceEvents"][0]["args"]["name"] == "a \"quoted\" device");
  const auto& event = trace["traceEvents"][1];
  CHECK(event["ph"] == "X");
  CHECK(event["name"] == "a");
  CHECK(event["cat"] == "forward");
  CHECK(event["ts"] == 500000.0);
  CHECK(event["dur"] == 250000.0);
  CHECK(event["args"]["layer"] == "one");
}

}  // namespace retort::test
