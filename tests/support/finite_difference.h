// Gradients of the engine against central differences (five points: the error is of fourth order in the step), through
// the public ops only. The backward pass runs in an arena that was measured before and filled with NaN, and on
// parameter gradients filled with infinity, so that whatever adds to memory it should overwrite shows.
#pragma once

#include <functional>

#include "engine/ops.h"
#include "tests/support/compare.h"
#include "tests/support/device_tensors.h"
#include "tests/support/random.h"

namespace retort::test {

/// An input of the function under test.
struct Operand {
  enum class Role { activation, parameter, constant };
  Shape shape;
  Values values;
  Role role = Role::activation;
  double step = 1.0 / 32;
};

inline Operand activation(const Shape& shape, std::uint32_t stream) {
  return {shape, random_values(static_cast<std::size_t>(shape.count()), stream)};
}
inline Operand trained(const Shape& shape, std::uint32_t stream) {
  return {shape, random_values(static_cast<std::size_t>(shape.count()), stream), Operand::Role::parameter};
}
inline Operand constant(Operand operand) {
  operand.role = Operand::Role::constant;
  return operand;
}
/// For functions that are linear in the operand no step is too large.
inline Operand linear_in(Operand operand) {
  operand.step = 0.5;
  return operand;
}

/// Runs the forward pass, delivers the gradients of its outputs and returns the scalar.
using Objective = std::function<double(Tape&, const std::vector<Var>&)>;
using Network = std::function<std::vector<Var>(Tape&, const std::vector<Var>&)>;

/// The scalar sum(output weights) with fixed random weights, summed in double on the host.
inline Objective weighted_sum(const Network& network) {
  return [network](Tape& tape, const std::vector<Var>& operands) {
    double sum = 0;
    std::uint32_t stream = 1000;
    for (const Var& output : network(tape, operands)) {
      const auto count = static_cast<std::size_t>(output->value.count());
      const DType dtype = output->value.dtype();
      const Values weights = random_values(count, stream++, dtype, 0.5, 1.5);
      Values signs = random_integers(count, stream++, 2);
      for (std::size_t i = 0; i < count; ++i) signs[i] = weights[i] * (2 * signs[i] - 1);
      if (output->requires_grad) {
        tape.deliver(output, device_tensor(output->value.device(), output->shape(), dtype, signs));
      }
      if (!tape.context().measuring()) sum += dot(host_values(output->value), signs);
    }
    return sum;
  };
}

namespace detail {

inline std::vector<Values> analytic_gradients(Context& context, std::vector<Var>& vars, const Objective& objective) {
  const auto pass = [&] {
    std::vector<Values> gradients;
    Tape tape(context);
    objective(tape, vars);
    tape.backward();
    CHECK(tape.size() == 0);
    for (const Var& var : vars) {
      gradients.emplace_back();
      if (!var->requires_grad) {
        CHECK(var->parts.empty());
        continue;
      }
      Tensor gradient = var->gradient;
      if (!var->is_parameter()) gradient = tape.take_gradient(*var);
      CHECK((!var->is_parameter() || var->gradient_written));
      CHECK(static_cast<bool>(gradient));
      if (gradient && !context.measuring()) gradients.back() = host_values(gradient);
      var->gradient_written = false;
    }
    return gradients;
  };
  Arena& arena = context.activations();
  context.begin_measuring();
  pass();
  context.end_measuring();
  {
    const std::shared_ptr<void> all = arena.allocate(arena.reserved(), "poison");
    const std::vector<std::uint8_t> poison(arena.reserved(), 0xFF);
    RETORT_BACKEND(context.device(), copy_bytes({}, all.get(), poison.data(), poison.size()));
    RETORT_BACKEND(context.device(), synchronize({}));
  }
  std::vector<Values> gradients = pass();
  CHECK(arena.high_water() == arena.reserved());  // no more than was measured
  return gradients;
}

}  // namespace detail

/// Checks d objective / d operand for every operand that is not constant. The error is relative to the largest entry of
/// the gradient of that operand. Returns the worst error seen.
inline double check_gradients(const std::string& what, Device device, const std::vector<Operand>& operands,
                              const Objective& objective, double tolerance) {
  INFO(what);
  Context context(device);
  std::vector<Var> vars;
  for (const Operand& operand : operands) {
    const Tensor value = device_tensor(device, operand.shape, operand.values);
    vars.push_back(operand.role == Operand::Role::parameter ? parameter(value)
                                                            : leaf(value, operand.role == Operand::Role::activation));
  }
  const std::vector<Values> analytic = detail::analytic_gradients(context, vars, objective);

  const auto evaluate = [&](std::size_t which, Values values) {
    set_values(vars[which]->value, values);
    Tape tape(context, Tape::Recording::off);
    const double result = objective(tape, vars);
    CHECK(tape.size() == 0);
    return result;
  };
  double worst = 0;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (operands[k].role == Operand::Role::constant) continue;
    REQUIRE(analytic[k].size() == operands[k].values.size());
    Values x = operands[k].values;
    double largest = 0;
    for (const double value : analytic[k]) largest = std::max(largest, std::abs(value));
    CHECK(largest > 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      // The points are the floats next to x + j step, so that the differences are known exactly.
      const double centre = x[i];
      const auto odd = [&](double j) {
        x[i] = static_cast<float>(centre + j * operands[k].step);
        const double right = x[i];
        const double above = evaluate(k, x);
        x[i] = static_cast<float>(centre - j * operands[k].step);
        const double slope = (above - evaluate(k, x)) / (right - x[i]);
        x[i] = centre;
        return slope;
      };
      const double numeric = (4 * odd(1) - odd(2)) / 3;
      const double error = std::abs(numeric - analytic[k][i]) / largest;
      worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
      CHECK_MESSAGE(error <= tolerance, what << ": operand " << k << "[" << i << "]: backward gives " << analytic[k][i]
                                             << ", differences give " << numeric << ", largest " << largest);
    }
    set_values(vars[k]->value, operands[k].values);
  }
  return worst;
}

inline double check_gradients(const std::string& what, Device device, const std::vector<Operand>& operands,
                              const Network& network, double tolerance) {
  return check_gradients(what, device, operands, weighted_sum(network), tolerance);
}

}  // namespace retort::test
