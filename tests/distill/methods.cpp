// Distillation methods: the list, and one that is not built in.
#include "distill/methods/method.h"
#include "kernels/error.h"
#include "tests/distill/runs.h"
#include "tests/support/finite_difference.h"

namespace retort {
Method make_several_temperatures();  // examples/several_temperatures.cpp
}

using namespace retort;
using namespace retort::test;

namespace {

const Method& several_temperatures() {
  static const bool added = [] {
    add_method(make_several_temperatures());
    return true;
  }();
  return (void)added, find_method("several-temperatures");
}

}  // namespace

TEST_CASE("methods: those of the program, and what each does") {
  const auto is = [](const char* name, bool weighs, bool regulates) {
    CAPTURE(name);
    const Method& method = find_method(name);
    CHECK(method.weighs_by_significance == weighs);
    CHECK(method.regulates == regulates);
  };
  is("kd", false, false);
  is("significance", true, false);
  is("regulated", false, true);
  is("hybrid", true, true);
  is("xcl", false, false);
  CHECK(find_method("xcl").extends);
  is("tst", false, false);
  const Failure failure = failure_of([] { find_method("magic"); });
  CHECK(failure.kind == ErrorKind::usage);
  for (const char* word : {"magic", "hybrid, kd, ", "regulated, "}) CHECK(failure.says(word));
  CHECK(failure_of([] { several_temperatures(), add_method(make_several_temperatures()); }).says("already"));

  const auto list = nlohmann::json::parse(check_done(retort_program({"info", "--methods", "--json"})).out);
  REQUIRE(list.size() == 6);
  CHECK(list[0]["name"] == "hybrid");
  CHECK(list[0]["weighs"] == true);
  CHECK(contains(check_done(retort_program({"info", "--methods"})).out, "significance           kd on the samples"));
}

TEST_CASE("methods: a loss of several parts delivers the gradient of their sum to the rows that participate") {
  constexpr int rows = 4, classes = 5;
  Operand student = activation({rows, classes}, 1);
  student.values[2] = 9;  // row 0 is right and sure of it
  const Tensor teacher = device_tensor(Device::cpu, {rows, classes}, normal_values(rows * classes, 9));
  Batch batch;
  batch.rows = rows;
  batch.labels = device_tensor(Device::cpu, {rows}, DType::i32, {2, 0, 4, 1});
  batch.samples = device_tensor(Device::cpu, {rows}, DType::i32, {3, 1, 4, 15});
  StepState host;
  host.divisor = 8;
  host.confidence_threshold = 0.9F;
  const DeviceState state(Device::cpu, host);
  Dataset five_classes;
  five_classes.classes = classes;
  const auto task = make_task(five_classes);
  for (const Tensor& weights : {Tensor(), device_tensor(Device::cpu, {rows}, {0.5, 1, 2, 1.5})}) {
    for (const Participation participation : {Participation::all, Participation::regulated}) {
      batch.weights = weights;
      LossOptions options;
      options.rule.participation = participation;
      double participants = 0;
      check_gradients(
          "several temperatures", Device::cpu, {student},
          [&](Tape& tape, const std::vector<Var>& v) {
            const RowReport report =
                several_temperatures().loss({tape, *task, v[0], teacher, {batch, state.data(), options}, {}});
            if (tape.context().measuring()) return 0.0;
            const Values mask = host_values(report.participates);
            participants = dot(mask, Values(rows, 1));
            return dot(host_values(report.loss), mask) / 8;
          },
          3e-5);
      CHECK(participants == (participation == Participation::all ? 4 : 3));
    }
  }
}

TEST_CASE("methods: a run by one that is not built in, which the options know by name") {
  several_temperatures();
  const TemporaryFolder folder;
  run(small_run("teach", folder / "teacher"));
  RunOptions o = small_run("distill", folder / "own");
  o.teacher = folder / "teacher";
  o.method = "several-temperatures";
  CHECK(run(o).result.finished);
  CHECK(contains(contents(folder / "own/config.toml"), "method = \"several-temperatures\""));
  RunOptions kd = o;
  kd.method = "kd";
  kd.out = folder / "kd";
  run(kd);
  CHECK(metrics_of(o.out)[0]["train_loss"] != metrics_of(kd.out)[0]["train_loss"]);
  o.regulation = "mask";
  o.confidence = 1.01;  // everyone participates
  o.out = folder / "masked";
  CHECK(run(o).result.finished);
  CHECK(metrics_of(o.out)[0]["train_loss"] == metrics_of(folder / "own")[0]["train_loss"]);
}
