// ReLU, max pooling and batch normalisation. Operands stay further from every kink than the steps reach.
#include <doctest/doctest.h>

#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {

constexpr double tolerance = 1e-4;
constexpr int channels = 3;
const Shape image{2, 2, 3, channels};

Shape per_channel() {
  return {channels};
}

/// Values of both signs, at least 0.5 and at most 1.5 from zero.
Operand bimodal(const Shape& shape, std::uint32_t stream, double size = 1) {
  Operand operand = activation(shape, stream);
  for (std::size_t i = 0; i < operand.values.size(); ++i) {
    operand.values[i] = size * (i / channels % 2 == 0 ? 1 : -1) + operand.values[i] / 4;
  }
  return operand;
}

Operand positive(Operand operand) {
  for (double& value : operand.values) value = 1 + value / 4;
  return operand;
}
Operand small(Operand operand) {
  for (double& value : operand.values) value /= 4;
  return operand;
}

/// Running statistics that differ from those of any batch; pending ones apart from those in force.
struct Statistics {
  Tensor mean, var, pending_mean, pending_var, pending_batches;
  explicit Statistics(Device device)
      : mean(device_tensor(device, per_channel(), {0.1, -0.2, 0.05})),
        var(device_tensor(device, per_channel(), {0.5, 1, 2})),
        pending_mean(device_tensor(device, per_channel(), {0, 0, 0})),
        pending_var(device_tensor(device, per_channel(), {1, 1, 1})),
        pending_batches(device_tensor(device, {1}, {0})) {}
  BatchNormState with(const Var& gamma, const Var& beta) const {
    return {gamma, beta, mean, var, pending_mean, pending_var, pending_batches};
  }
};

}  // namespace

BACKEND_TEST("gradients: relu and max_pool2d") {
  const auto rectify = [](Tape& t, const std::vector<Var>& v) { return std::vector<Var>{relu(t, v[0])}; };
  check_gradients("relu", backend.device, {bimodal({3, 4, 5, channels}, 1)}, Network(rectify), tolerance);
  // All values differ by more than the differences reach.
  Operand x = activation({1, 5, 4, 2}, 2);
  for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] = 0.25 * static_cast<double>(i * 17 % 40) - 5;
  const std::pair<int, int> windows[] = {{2, 2}, {3, 1}, {3, 2}, {2, 1}};
  for (const auto& [kernel, stride] : windows) {
    const auto pool = [k = kernel, s = stride](Tape& t, const std::vector<Var>& v) {
      return std::vector<Var>{max_pool2d(t, v[0], k, s)};
    };
    check_gradients("max_pool2d", backend.device, {x}, Network(pool), tolerance);
  }
}

BACKEND_TEST("gradients: batch_norm, in training and in evaluation, with and without ReLU and residual") {
  const Statistics statistics(backend.device);
  const Operand x = bimodal(image, 1), gamma = positive(trained(per_channel(), 2)),
                beta = small(trained(per_channel(), 3)), residual = bimodal(image, 4, 6);
  for (const bool evaluation : {false, true}) {
    for (const bool rectified : {false, true}) {
      const ForwardMode mode = evaluation ? ForwardMode::evaluation() : ForwardMode::training();
      const auto network = [&](Tape& t, const std::vector<Var>& v) {
        const Var addend = v.size() > 3 ? v[3] : nullptr;
        return std::vector<Var>{batch_norm(t, v[0], statistics.with(v[1], v[2]), rectified, addend, mode)};
      };
      const std::string what =
          std::string("batch_norm") + (evaluation ? " evaluation" : "") + (rectified ? " relu" : "");
      const auto check = [&](const std::string& variant, const std::vector<Operand>& operands) {
        check_gradients(what + variant, backend.device, operands, Network(network), tolerance);
      };
      check("", {x, gamma, beta});
      check(" residual", {x, gamma, beta, residual});
      check(" frozen", {x, constant(gamma), constant(beta), residual});
      check(" beta only", {constant(x), constant(gamma), beta, constant(residual)});
      check(" gamma only", {constant(x), gamma, constant(beta)});
      check(" residual only", {constant(x), constant(gamma), constant(beta), residual});
    }
  }
}

BACKEND_TEST("gradients: batch_norm of features without positions, with frozen statistics too") {
  const Statistics statistics(backend.device);
  const Shape rows{6, channels};
  for (const bool update : {false, true}) {
    const auto network = [&](Tape& t, const std::vector<Var>& v) {
      return std::vector<Var>{batch_norm(t, v[0], statistics.with(v[1], v[2]), true, nullptr, {true, update, false})};
    };
    check_gradients("batch_norm rows", backend.device,
                    {bimodal(rows, 1), positive(trained(per_channel(), 2)), small(trained(per_channel(), 3))},
                    Network(network), tolerance);
  }
}

BACKEND_TEST("gradients: add_batch_norm, where a gradient arrives at the sum, at the output, or at both") {
  const Statistics statistics(backend.device);
  const Operand a = bimodal(image, 1), b = small(activation(image, 2)), gamma = positive(trained(per_channel(), 3)),
                beta = small(trained(per_channel(), 4));
  for (const bool evaluation : {false, true}) {
    const ForwardMode mode = evaluation ? ForwardMode::evaluation() : ForwardMode::training();
    for (const bool rectified : {false, true}) {
      for (const bool sum_is_used : {false, true}) {
        const auto network = [&](Tape& t, const std::vector<Var>& v) {
          const SumAndNormed out = add_batch_norm(t, v[0], v[1], statistics.with(v[2], v[3]), rectified, mode);
          return sum_is_used ? std::vector<Var>{out.sum, out.y} : std::vector<Var>{out.y};
        };
        const auto check = [&](const char* variant, const std::vector<Operand>& operands) {
          const std::string what = std::string("add_batch_norm ") + variant + (evaluation ? " evaluation" : "") +
                                   (rectified ? " relu" : "") + (sum_is_used ? " sum used" : "");
          check_gradients(what, backend.device, operands, Network(network), tolerance);
        };
        check("all", {a, b, gamma, beta});
        check("one addend", {a, constant(b), gamma, beta});
        check("frozen", {a, b, constant(gamma), constant(beta)});
        check("parameters only", {constant(a), constant(b), gamma, beta});
      }
    }
    const auto sum_only = [&](Tape& t, const std::vector<Var>& v) {
      return std::vector<Var>{add_batch_norm(t, v[0], v[1], statistics.with(v[2], v[3]), false, mode).sum};
    };
    check_gradients("add_batch_norm sum only", backend.device, {a, b, constant(gamma), constant(beta)},
                    Network(sum_only), tolerance);
  }
}

BACKEND_TEST("gradients: the output of batch norm may have two or three consumers") {
  const Statistics statistics(backend.device);
  const Operand a = bimodal(image, 1), b = small(activation(image, 2)), gamma = positive(trained(per_channel(), 3)),
                beta = small(trained(per_channel(), 4));
  for (const bool evaluation : {false, true}) {
    const ForwardMode mode = evaluation ? ForwardMode::evaluation() : ForwardMode::training();
    for (const std::size_t consumers : {2, 3}) {
      const auto plain = [&](Tape& t, const std::vector<Var>& v) {
        return std::vector<Var>(consumers, batch_norm(t, v[0], statistics.with(v[2], v[3]), true, v[1], mode));
      };
      const auto summed = [&](Tape& t, const std::vector<Var>& v) {
        const SumAndNormed out = add_batch_norm(t, v[0], v[1], statistics.with(v[2], v[3]), true, mode);
        std::vector<Var> outputs(consumers, out.y);
        outputs.insert(outputs.end(), consumers, out.sum);
        return outputs;
      };
      check_gradients("batch_norm", backend.device, {a, bimodal(image, 5, 6), gamma, beta}, Network(plain), tolerance);
      check_gradients("add_batch_norm", backend.device, {a, b, gamma, beta}, Network(summed), tolerance);
    }
  }
}

BACKEND_TEST("batch_norm: training updates the pending statistics, evaluation and frozen statistics nothing") {
  const auto run = [&](ForwardMode mode) {
    const Statistics statistics(backend.device);
    Context context(backend.device);
    Tape tape(context, Tape::Recording::off);
    const Operand x = bimodal(image, 1);
    const Var gamma = leaf(device_tensor(backend.device, per_channel(), {1, 1, 1}));
    const Var beta = leaf(device_tensor(backend.device, per_channel(), {0, 0, 0}));
    batch_norm(tape, leaf(device_tensor(backend.device, image, x.values)), statistics.with(gamma, beta), false, nullptr,
               mode);
    check_equal("mean in force", host_values(statistics.mean), host_values(Statistics(backend.device).mean));
    check_equal("variance in force", host_values(statistics.var), host_values(Statistics(backend.device).var));
    Values mean(channels);
    for (std::size_t i = 0; i < x.values.size(); ++i) mean[i % channels] += x.values[i] / 12;
    Values pending = host_values(statistics.pending_mean);
    const double batches = host_values(statistics.pending_batches)[0];
    if (mode.batch_statistics && mode.update_statistics) {
      for (double& value : mean) value *= 0.1;
      check_within("pending mean", pending, mean, 1e-7);
      CHECK(batches == 1);
    } else {
      check_equal("pending mean", pending, Values(channels, 0));
      CHECK(batches == 0);
    }
  };
  run(ForwardMode::training());
  run(ForwardMode::evaluation());
  run({true, false, false});
}

}  // namespace retort::test
