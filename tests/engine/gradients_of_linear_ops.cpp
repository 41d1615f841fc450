// Ops that are linear in each operand: differences are exact up to the rounding of fp32.
#include <doctest/doctest.h>

#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {
constexpr double tolerance = 2e-6;
}

BACKEND_TEST("gradients: conv2d towards image, weight and bias") {
  struct Case {
    Shape x, weight;
    Conv2dOptions options;
  };
  const Case cases[] = {{{2, 5, 4, 3}, {4, 3, 3, 3}, {1, 1}}, {{2, 5, 6, 3}, {2, 3, 3, 3}, {2, 1}},
                        {{1, 4, 4, 5}, {3, 1, 1, 5}, {1, 0}}, {{2, 5, 5, 2}, {3, 1, 1, 2}, {2, 0}},
                        {{1, 6, 5, 1}, {2, 5, 5, 1}, {1, 2}}, {{3, 3, 3, 2}, {2, 3, 3, 2}, {1, 0}}};
  for (const Case& c : cases) {
    const auto conv = [options = c.options](Tape& tape, const std::vector<Var>& v) {
      return std::vector<Var>{conv2d(tape, v[0], v[1], v.size() > 2 ? v[2] : nullptr, options)};
    };
    const Operand x = linear_in(activation(c.x, 1)), weight = linear_in(trained(c.weight, 2)),
                  bias = linear_in(trained({c.weight[0]}, 3));
    const std::string what = "conv2d " + c.x.str() + " " + c.weight.str();
    check_gradients(what, backend.device, {x, weight, bias}, Network(conv), tolerance);
    check_gradients(what + " without bias", backend.device, {x, weight}, Network(conv), tolerance);
    check_gradients(what + " first layer", backend.device, {constant(x), weight, bias}, Network(conv), tolerance);
    check_gradients(what + " frozen", backend.device, {x, constant(weight), constant(bias)}, Network(conv), tolerance);
    check_gradients(what + " bias only", backend.device, {x, constant(weight), bias}, Network(conv), tolerance);
  }
}

BACKEND_TEST("gradients: linear towards input, weight and bias") {
  const auto layer = [](Tape& tape, const std::vector<Var>& v) {
    return std::vector<Var>{linear(tape, v[0], v[1], v.size() > 2 ? v[2] : nullptr)};
  };
  const Operand x = linear_in(activation({4, 7}, 1)), weight = linear_in(trained({5, 7}, 2)),
                bias = linear_in(trained({5}, 3));
  check_gradients("linear", backend.device, {x, weight, bias}, Network(layer), tolerance);
  check_gradients("linear without bias", backend.device, {x, weight}, Network(layer), tolerance);
  check_gradients("linear frozen", backend.device, {x, constant(weight), constant(bias)}, Network(layer), tolerance);
  check_gradients("linear first", backend.device, {constant(x), weight, bias}, Network(layer), tolerance);
  check_gradients("linear bias only", backend.device, {x, constant(weight), bias}, Network(layer), tolerance);
}

BACKEND_TEST("gradients: sums and averages") {
  const Operand x = linear_in(activation({2, 5, 4, 3}, 1)), y = linear_in(activation({2, 5, 4, 3}, 2));
  const auto sum = [](Tape& t, const std::vector<Var>& v) { return std::vector<Var>{add(t, v[0], v[1])}; };
  check_gradients("add", backend.device, {x, y}, Network(sum), tolerance);
  check_gradients("add to a constant", backend.device, {x, constant(y)}, Network(sum), tolerance);
  const std::pair<int, int> windows[] = {{2, 2}, {3, 1}, {3, 2}, {1, 2}};
  for (const auto& [kernel, stride] : windows) {
    const auto pool = [k = kernel, s = stride](Tape& t, const std::vector<Var>& v) {
      return std::vector<Var>{avg_pool2d(t, v[0], k, s)};
    };
    check_gradients("avg_pool2d " + std::to_string(kernel) + "/" + std::to_string(stride), backend.device, {x},
                    Network(pool), tolerance);
  }
  const auto global = [](Tape& t, const std::vector<Var>& v) { return std::vector<Var>{global_avg_pool(t, v[0])}; };
  check_gradients("global_avg_pool", backend.device, {x}, Network(global), tolerance);
  const auto flat = [](Tape& t, const std::vector<Var>& v) { return std::vector<Var>{flatten(t, v[0])}; };
  check_gradients("flatten", backend.device, {x}, Network(flat), tolerance);
}

BACKEND_TEST("gradients: dropout passes what it kept and nothing else") {
  StepState state;
  state.seed = 7;
  state.epoch = 3;
  const DeviceState device_state(backend.device, state);
  const Tensor samples = device_tensor(backend.device, {4}, DType::i32, {5, 0, 1000, 17});
  const auto network = [&](Tape& t, const std::vector<Var>& v) {
    return std::vector<Var>{dropout(t, v[0], 0.4F, 2, samples, device_state.data(), ForwardMode::training())};
  };
  const Operand x = linear_in(activation({4, 5, 3, 2}, 1));
  check_gradients("dropout", backend.device, {x}, Network(network), tolerance);

  Context context(backend.device);
  Tape tape(context);
  const Var input = leaf(device_tensor(backend.device, {4, 200}, Values(800, 1)));
  const Var output = dropout(tape, input, 0.4F, 2, samples, device_state.data(), ForwardMode::training());
  tape.deliver(output, device_tensor(backend.device, {4, 200}, Values(800, 1)));
  tape.backward();
  const Values y = host_values(output->value);
  check_equal("dropout mask", host_values(tape.take_gradient(*input)), y);
  int kept = 0;
  for (const double value : y) kept += value != 0;
  CHECK(kept > 400);
  CHECK(kept < 560);
  // Evaluation and p = 0 give the input itself.
  CHECK(dropout(tape, input, 0.4F, 2, samples, device_state.data(), ForwardMode::evaluation()) == input);
  CHECK(dropout(tape, input, 0, 2, samples, device_state.data(), ForwardMode::training()) == input);
}

}  // namespace retort::test
