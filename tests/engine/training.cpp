// The parts together: small networks learn, a step that is not finite changes nothing, and a measured step is enough.
#include <doctest/doctest.h>

#include <sstream>

#include "engine/ops.h"
#include "engine/optimizer.h"
#include "tests/engine/expect_error.h"
#include "tests/support/compare.h"
#include "tests/support/device_tensors.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

using Field = ParameterStore::Field;

constexpr int rows = 64;

/// Two classes: the sign of x0 + x1, which a line separates, or of x0 x1, which none does.
struct Problem {
  Tensor x, labels, samples;
  Problem(Device device, bool exclusive) {
    Values inputs, classes;
    for (std::uint32_t i = 0; inputs.size() < 2 * rows; ++i) {
      Values point = random_values(2, 100 + i);
      if (std::abs(exclusive ? point[0] * point[1] : point[0] + point[1]) < 0.1) continue;
      // With each point its three rotations by a right angle, for which the product changes sign every time.
      for (int turn = 0; turn < (exclusive ? 4 : 1); ++turn) {
        inputs.insert(inputs.end(), point.begin(), point.end());
        classes.push_back((exclusive ? point[0] * point[1] : point[0] + point[1]) > 0 ? 1 : 0);
        point = {-point[1], point[0]};
      }
    }
    x = device_tensor(device, {rows, 2}, inputs);
    labels = device_tensor(device, {rows}, DType::i32, classes);
    samples = sample_indices(device, rows);
  }
};

class Network {
 public:
  Network(Context& context, int hidden, const OptimizerOptions& options) : context_(context), options_(options) {
    const auto layer = [this](const std::string& name, int in, int out) {
      ParameterSpec weight{name + ".weight", {out, in}, Layout::plain, 1, 1, Initializer::normal, 0.7F};
      ParameterSpec bias{name + ".bias", {out}, Layout::plain, 1, 1, Initializer::zeros, 0};
      layers_.push_back({store.parameter(weight), store.parameter(bias)});
    };
    if (hidden > 0) layer("first", 2, hidden);
    layer("last", hidden > 0 ? hidden : 2, 2);
    store.materialise(context, 3, Trainable::yes, options.moments());
  }

  /// One step on the whole batch; returns the share of correct rows before it.
  double step(const Problem& problem, const DeviceState& state) {
    store.begin_step();
    Tape tape(context_);
    Var h = leaf(problem.x, false);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (i > 0) h = relu(tape, h);
      h = linear(tape, h, layers_[i].first, layers_[i].second);
    }
    const RowReport report = regulated_cross_entropy(tape, h, problem.labels, problem.samples, state.data(), {});
    h.reset();
    tape.backward();
    optimizer_step(context_, store, options_, report.loss, state.data());
    if (context_.measuring()) return 0;
    return dot(host_values(report.correct), Values(rows, 1.0 / rows));
  }

  ParameterStore store;

 private:
  Context& context_;
  OptimizerOptions options_;
  std::vector<std::pair<Var, Var>> layers_;
};

OptimizerOptions adamw() {
  OptimizerOptions options;
  options.kind = OptimizerKind::adamw;
  return options;
}

StepState settings(float learning_rate) {
  StepState state;
  state.learning_rate = learning_rate;
  state.divisor = rows;
  return state;
}

std::vector<std::vector<float>> everything(const ParameterStore& store) {
  std::vector<std::vector<float>> all;
  for (const Field field : {Field::value, Field::momentum, Field::second_moment}) {
    for (std::size_t i = 0; store.has(field) && i < store.parameter_count(); ++i) all.push_back(store.read(i, field));
  }
  return all;
}

double train(Device device, const OptimizerOptions& options, int hidden, bool exclusive, float rate, int steps) {
  Context context(device);
  const Problem problem(device, exclusive);
  Network network(context, hidden, options);
  const DeviceState state(device, settings(rate));
  double correct = 0;
  for (int step = 0; step < steps; ++step) {
    StepState now = state.get();
    now.step = step;  // commit_step counts in the program
    state.set(now);
    correct = network.step(problem, state);
    CHECK(state.get().verdict == static_cast<std::int32_t>(StepVerdict::applied));
  }
  return correct;
}

}  // namespace

BACKEND_TEST("training: a linear classifier learns what a line separates, and only that") {
  CHECK(train(backend.device, {}, 0, false, 0.5F, 200) == 1);
  CHECK(train(backend.device, adamw(), 0, false, 0.1F, 200) == 1);
  // Of the four corners of a square, labelled in turns, no line has more than three right.
  CHECK(train(backend.device, {}, 0, true, 0.5F, 200) <= 0.75);
}

BACKEND_TEST("training: a hidden layer learns what no line separates") {
  CHECK(train(backend.device, {}, 16, true, 0.2F, 400) == 1);
  CHECK(train(backend.device, adamw(), 16, true, 0.05F, 400) == 1);
  OptimizerOptions nesterov;
  nesterov.nesterov = true;
  CHECK(train(backend.device, nesterov, 16, true, 0.2F, 400) == 1);
}

BACKEND_TEST("training: a loss or a gradient that is not finite leaves parameters and moments as they were") {
  for (const OptimizerOptions& options : {OptimizerOptions(), adamw()}) {
    Context context(backend.device);
    const Problem problem(backend.device, false);
    Network network(context, 4, options);
    const DeviceState state(backend.device, settings(0.1F));
    network.step(problem, state);
    const auto before = everything(network.store);

    Problem broken(backend.device, false);
    Values inputs = host_values(broken.x);
    inputs[5] = NAN;
    broken.x = device_tensor(backend.device, {rows, 2}, inputs);
    network.step(broken, state);
    CHECK(state.get().verdict == static_cast<std::int32_t>(StepVerdict::loss_not_finite));
    CHECK(everything(network.store) == before);

    network.store.begin_step();
    network.store.write(0, std::vector<float>(8, HUGE_VALF), Field::gradient);
    network.store.variable(0)->gradient_written = true;
    const Tensor loss = device_tensor(backend.device, {1}, {0.5});
    optimizer_step(context, network.store, options, loss, state.data());
    CHECK(state.get().verdict == static_cast<std::int32_t>(StepVerdict::gradient_not_finite));
    CHECK(everything(network.store) == before);

    network.step(problem, state);
    CHECK(state.get().verdict == static_cast<std::int32_t>(StepVerdict::applied));
    CHECK(everything(network.store) != before);
  }
}

BACKEND_TEST("training: the optimizer says what it lacks") {
  Context context(backend.device);
  ParameterStore frozen;
  frozen.parameter({"a", {2}});
  frozen.materialise(context, 1, Trainable::no);
  const Tensor loss = device_tensor(backend.device, {1}, {0.5});
  const DeviceState state(backend.device, settings(1));
  const auto step = [&](ParameterStore& store, const OptimizerOptions& options) {
    return message_of(ErrorKind::usage, [&] { optimizer_step(context, store, options, loss, state.data()); });
  };
  check_contains(step(frozen, {}), "frozen");
  ParameterStore one_moment;
  one_moment.parameter({"a", {2}});
  one_moment.materialise(context, 1, Trainable::yes, Moments::one);
  check_contains(step(one_moment, adamw()), "Moments::two");
}

BACKEND_TEST("training: a measuring step launches nothing, and the real one needs exactly what it measured") {
  Context context(backend.device);
  const Problem problem(backend.device, true);
  Network network(context, 16, {});
  const DeviceState state(backend.device, settings(0.1F));
  const auto before = everything(network.store);
  const std::vector<float> gradient = network.store.read(0, Field::gradient);

  context.begin_measuring();
  StepState marked = state.get();
  marked.verdict = 77;
  state.set(marked);
  network.step(problem, state);
  CHECK(context.macs() == rows * (2 * 16 * 2 + 16 * 2 * 3));
  CHECK(state.get().verdict == 77);
  const std::size_t measured = context.activations().high_water(), workspace = context.workspace_bytes();
  const auto owners = context.activations().owners_at_peak();
  CHECK(measured > 0);
  CHECK_FALSE(owners.empty());
  context.end_measuring();
  CHECK(everything(network.store) == before);
  CHECK(network.store.read(0, Field::gradient) == gradient);

  for (int round = 0; round < 3; ++round) {
    network.step(problem, state);
    CHECK(context.activations().high_water() == measured);
    CHECK(context.workspace_bytes() == workspace);
  }
  CHECK(everything(network.store) != before);
}

BACKEND_TEST("training: steps in a measured arena are the steps from the heap, bit for bit") {
  std::vector<std::vector<float>> results[2];
  for (const bool measured : {false, true}) {
    Context context(backend.device);
    const Problem problem(backend.device, true);
    Network network(context, 16, {});
    const DeviceState state(backend.device, settings(0.1F));
    if (measured) {
      context.begin_measuring();
      network.step(problem, state);
      context.end_measuring();
    }
    for (int step = 0; step < 5; ++step) network.step(problem, state);
    results[measured ? 1 : 0] = everything(network.store);
  }
  CHECK(results[0] == results[1]);
}

}  // namespace retort::test
