// What a recorded step does and does not do, and what cannot be recorded. Needs a device that records: a GPU, or the
// emulated one of test_emulated.
#include "engine/recorded_steps.h"
#include "kernels/device_info.h"
#include "kernels/elementwise.h"
#include "tests/support/backend.h"

using namespace retort;

/// A TEST_CASE that a machine without such a device skips, and says so.
#define RECORDING_TEST(title) RETORT_RECORDING_TEST(DOCTEST_ANONYMOUS(retort_recording_test_), title)
#define RETORT_RECORDING_TEST(body, title)                                    \
  static void body();                                                         \
  TEST_CASE(title) {                                                          \
    if (cuda::available()) return body();                                     \
    test::note_once("no device here records steps: those tests are skipped"); \
  }                                                                           \
  static void body()

namespace {

/// Numbers on the device, and steps on them.
struct Numbers {
  Context context{Device::cuda};
  DeviceBlock block{Device::cuda, 4 * sizeof(float)};

  explicit Numbers(float value) {
    const float values[4] = {value, value, value, value};
    RETORT_LAUNCH(context, 0, copy_bytes, block.data(), values, sizeof values);
  }
  float* at(int i) const { return static_cast<float*>(block.data()) + i; }
  float value(int i) {
    float found = 0;
    RETORT_LAUNCH(context, 0, copy_bytes, &found, at(i), sizeof found);
    return found;
  }
  /// to = a + b
  void add(int a, int b, int to) { RETORT_LAUNCH(context, 0, add, DType::f32, 1, at(a), at(b), at(to)); }
};

}  // namespace

RECORDING_TEST("recordings: a step is run, then recorded, then replayed, and counts each time") {
  Numbers n(1);
  RecordedSteps steps(n.context, true);
  int written_down = 0;
  const auto step = [&] {
    ++written_down;
    n.add(0, 1, 0);
    n.context.count_macs(10);
  };
  for (int i = 0; i < 5; ++i) steps.run("add", 1, step);
  CHECK(written_down == 2);
  CHECK(n.value(0) == 6);
  CHECK(steps.refusal().empty());
  CHECK(n.context.macs() == 50);
  CHECK(steps.launches("add", 1) == 1);
  CHECK(steps.launches("add", 2) == 0);
  // Another size is another step.
  steps.run("add", 2, step);
  CHECK(written_down == 3);
  RecordedSteps off(n.context, false);
  for (int i = 0; i < 3; ++i) off.run("add", 1, step);
  CHECK(written_down == 6);
  CHECK(n.value(0) == 10);
}

RECORDING_TEST("recordings: the device decides about a part at each replay") {
  Numbers n(1);
  RecordedSteps steps(n.context, true);
  if (!steps.has_conditions()) return test::note_once("this driver has no conditional graphs: their test is skipped");
  const DeviceBlock count(Device::cuda, sizeof(std::int32_t));
  const auto set = [&](std::int32_t value) {
    RETORT_LAUNCH(n.context, 0, copy_bytes, count.data(), &value, sizeof value);
  };
  const auto step = [&] {
    n.add(0, 1, 0);
    steps.if_at_least(static_cast<const std::int32_t*>(count.data()), 3, [&] { n.add(2, 1, 2); });
  };
  for (const int value : {2, 3, 4, 0, 3, 2}) {
    set(value);
    steps.run("maybe", 1, step);
  }
  CHECK(n.value(0) == 7);
  CHECK(n.value(2) == 4);
}

RECORDING_TEST("recordings: a branch runs before or after what is beside it, and before what it is joined to") {
  Numbers n(1);
  RecordedSteps steps(n.context, true);
  const auto step = [&] {
    {
      const BranchScope branch(n.context);
      n.add(0, 1, 2);  // 2 = 0 + 1
    }
    n.add(1, 1, 3);  // 3 = 2, beside it
    n.context.join_branches();
    n.add(2, 3, 0);  // 0 = 0 + 1 + 2
  };
  for (int i = 0; i < 6; ++i) steps.run("branch", 1, step);
  CHECK(n.value(0) == 19);
}

RECORDING_TEST("recordings: a branch that is not joined, memory of the host, allocation and waiting are not recorded") {
  using Step = void (*)(Numbers&);
  const Step refused[] = {
      [](Numbers& n) {
        const BranchScope branch(n.context);
        n.add(0, 1, 2);
      },
      [](Numbers& n) { n.value(0); },
      [](Numbers&) { const DeviceBlock block(Device::cuda, 64); },
      [](Numbers& n) { n.context.synchronize(); },
      [](Numbers& n) { RETORT_BACKEND(n.context.device(), fill_zero({}, n.at(3), sizeof(float))); },
  };
  for (const Step& step : refused) {
    Numbers n(1);
    RecordedSteps steps(n.context, true);
    const auto body = [&] { step(n); };
    for (int i = 0; i < 3; ++i) steps.run("refused", 1, body);  // as it is, all the same
    CHECK(!steps.refusal().empty());
    CHECK(!steps.has_conditions());
    CHECK(n.value(1) == 1);  // and the device goes on
  }
}

RECORDING_TEST("recordings: workspace cannot move once a step is recorded") {
  Numbers n(1);
  RecordedSteps steps(n.context, true);
  const auto step = [&] { n.add(0, 1, 0); };
  n.context.launch(1024);
  steps.run("add", 1, step);
  steps.run("add", 1, step);
  n.context.launch(512);
  CHECK_THROWS_AS(n.context.launch(4096), Error);
}
