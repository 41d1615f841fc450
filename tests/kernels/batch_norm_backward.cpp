// Batch normalisation, backward: all combinations of operands, the permitted aliasing, and the reference itself.
#include "tests/kernels/batch_norm_operands.h"

namespace retort::test {
namespace {

/// Which operand an output shares its memory with.
enum class Alias { none, dx_is_dy, dx_is_dy2, dx_is_addend, dresidual_is_dy };

struct BackwardResult {
  Values dx, dresidual, dgamma, dbeta;
};

BackwardResult run_backward(const Backend& backend, const cases::BatchNormCase& c, const BatchNormOperands& o,
                            Alias alias = Alias::none) {
  const BatchNormShape& s = c.shape;
  const std::size_t n = o.x.size();
  const Workspace workspace(backend, backend.batch_norm_workspace(s));
  const bool shared_dy = alias == Alias::dx_is_dy || alias == Alias::dresidual_is_dy;
  const Buffer dy = shared_dy ? inout(backend, s.dtype, o.dy) : input(backend, s.dtype, o.dy);
  const Buffer dy2 = alias == Alias::dx_is_dy2 ? inout(backend, s.dtype, o.dy2) : input(backend, s.dtype, o.dy2);
  const Buffer addend =
      alias == Alias::dx_is_addend ? inout(backend, s.dtype, o.addend) : input(backend, s.dtype, o.addend);
  const Buffer sum = input(backend, s.dtype, o.sum);
  const Buffer y = input(backend, s.dtype, o.y);
  const Buffer gamma = input(backend, DType::f32, o.gamma);
  const Buffer mean = input(backend, DType::f32, o.mean);
  const Buffer rstd = input(backend, DType::f32, o.rstd);
  const Buffer dx = output(backend, s.dtype, n);
  const Buffer dresidual = output(backend, s.dtype, n);
  const Buffer dgamma = output(backend, DType::f32, s.channels);
  const Buffer dbeta = output(backend, DType::f32, s.channels);
  const Buffer& dx_at = alias == Alias::dx_is_dy       ? dy
                        : alias == Alias::dx_is_dy2    ? dy2
                        : alias == Alias::dx_is_addend ? addend
                                                       : dx;
  const Buffer& dresidual_at = alias == Alias::dresidual_is_dy ? dy : dresidual;
  BatchNormBackward args;
  args.dy = dy.data();
  args.dy2 = c.dy2 ? dy2.data() : nullptr;
  args.sum = sum.data();
  args.y = s.relu ? y.data() : nullptr;
  args.gamma = gamma.f32();
  args.save_mean = mean.f32();
  args.save_rstd = rstd.f32();
  args.dx_addend = c.addend ? addend.data() : nullptr;
  args.dx = c.dx ? dx_at.data() : nullptr;
  args.dresidual = c.dresidual ? dresidual_at.data() : nullptr;
  args.dgamma = c.parameters ? dgamma.f32() : nullptr;
  args.dbeta = c.parameters ? dbeta.f32() : nullptr;
  (c.training ? backend.batch_norm_backward_training : backend.batch_norm_backward_evaluation)(workspace.launch(), s,
                                                                                               args);
  return {dx_at.values(), dresidual_at.values(), dgamma.values(), dbeta.values()};
}

void check_backward(const cases::BatchNormCase& c, const BatchNormOperands& o, const BackwardResult& r) {
  const BatchNormExpectation e = expected_backward(c, o);
  if (c.dx) check_within("dx", r.dx, e.gradient.dx, e.bounds.dx);
  if (c.dresidual) check_within("dresidual", r.dresidual, e.g, e.g_bounds);
  if (c.parameters) check_within("dgamma", r.dgamma, e.gradient.dgamma, e.bounds.dgamma);
  if (c.parameters) check_within("dbeta", r.dbeta, e.gradient.dbeta, e.bounds.dbeta);
}

TEST_CASE("the reference batch norm's gradients agree with finite differences of its forward pass") {
  for (const bool training : {true, false}) {
    cases::BatchNormCase c;
    c.shape = cases::batch_norm_shape(6, 3, DType::f32, true);
    c.training = training;
    c.residual = true;
    const BatchNormOperands o(c);
    const BatchNormShape& s = c.shape;
    const auto forward = [&](const Values& x, const Values& gamma, const Values& beta, const Values& residual) {
      const reference::Statistics batch = reference::batch_statistics(s, x);
      const Values mean = training ? batch.mean : o.running_mean;
      const Values rstd = reference::reciprocal_deviation(training ? batch.variance : o.running_var, s.epsilon);
      return reference::batch_norm_forward(s, x, mean, rstd, gamma, beta, residual);
    };
    const reference::Statistics batch = reference::batch_statistics(s, o.x);
    const Values mean = training ? batch.mean : o.running_mean;
    const Values rstd = reference::reciprocal_deviation(training ? batch.variance : o.running_var, s.epsilon);
    const Values g = reference::behind_relu(s, o.dy, {}, forward(o.x, o.gamma, o.beta, o.residual));
    const auto gradient = reference::batch_norm_backward(s, training, g, o.x, o.gamma, mean, rstd, {});
    const auto by_x = [&](const Values& x) { return dot(forward(x, o.gamma, o.beta, o.residual), o.dy); };
    const auto by_gamma = [&](const Values& v) { return dot(forward(o.x, v, o.beta, o.residual), o.dy); };
    const auto by_beta = [&](const Values& v) { return dot(forward(o.x, o.gamma, v, o.residual), o.dy); };
    const auto by_residual = [&](const Values& v) { return dot(forward(o.x, o.gamma, o.beta, v), o.dy); };
    check_within("dx", gradient.dx, finite_differences(by_x, o.x), 1e-7);
    check_within("dgamma", gradient.dgamma, finite_differences(by_gamma, o.gamma), 1e-7);
    check_within("dbeta", gradient.dbeta, finite_differences(by_beta, o.beta), 1e-7);
    check_within("dresidual", g, finite_differences(by_residual, o.residual), 1e-7);
  }
}

BACKEND_TEST("batch norm's backward pass gives the derivative for every combination of operands") {
  NEEDS(batch_norm_backward_training);
  NEEDS(batch_norm_backward_evaluation);
  for (const cases::BatchNormCase& c : cases::batch_norm_cases()) {
    CAPTURE(c.id);
    const BatchNormOperands o(c);
    check_backward(c, o, run_backward(backend, c, o));
  }
}

BACKEND_TEST("batch norm's gradients may be written over the gradients they come from") {
  NEEDS(batch_norm_backward_training);
  for (const cases::BatchNormCase& c : cases::batch_norm_cases()) {
    const BatchNormOperands o(c);
    CAPTURE(c.id);
    if (c.dx) check_backward(c, o, run_backward(backend, c, o, Alias::dx_is_dy));
    if (c.dx && c.dy2) check_backward(c, o, run_backward(backend, c, o, Alias::dx_is_dy2));
    if (c.dx && c.addend) check_backward(c, o, run_backward(backend, c, o, Alias::dx_is_addend));
    if (c.dresidual) check_backward(c, o, run_backward(backend, c, o, Alias::dresidual_is_dy));
  }
}

BACKEND_TEST("batch norm's gradient in training is orthogonal to constants and to the normalised input") {
  NEEDS(batch_norm_backward_training);
  cases::BatchNormCase c;
  c.shape = cases::batch_norm_shape(500, 4, DType::f32, false);
  c.shape.epsilon = 1e-12F;
  const BatchNormOperands o(c);
  const BackwardResult r = run_backward(backend, c, o);
  for (int k = 0; k < 4; ++k) {
    double constant = 0;
    double along = 0;
    for (std::size_t i = k; i < r.dx.size(); i += 4) {
      constant += r.dx[i];
      along += r.dx[i] * (o.sum[i] - o.mean[k]) * o.rstd[k];
    }
    CHECK(std::abs(constant) < 1e-3);
    CHECK(std::abs(along) < 1e-3);
  }
}

}  // namespace
}  // namespace retort::test
