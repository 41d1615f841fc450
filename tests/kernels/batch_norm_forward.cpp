// Batch normalisation, forward: all combinations of fused neighbours, running statistics, accuracy.
#include "tests/kernels/batch_norm_operands.h"

namespace retort::test {
namespace {

struct ForwardResult {
  Values y, sum, mean, rstd, running_mean, running_var;
};

ForwardResult run_forward(const Backend& backend, const cases::BatchNormCase& c, const BatchNormOperands& o,
                          bool with_running = true) {
  const BatchNormShape& s = c.shape;
  const std::size_t n = o.x.size();
  const Workspace workspace(backend, backend.batch_norm_workspace(s));
  const Buffer x = input(backend, s.dtype, o.x);
  const Buffer x2 = input(backend, s.dtype, o.x2);
  const Buffer residual = input(backend, s.dtype, o.residual);
  const Buffer gamma = input(backend, DType::f32, o.gamma);
  const Buffer beta = input(backend, DType::f32, o.beta);
  const Buffer running_mean = inout(backend, DType::f32, o.running_mean);
  const Buffer running_var = inout(backend, DType::f32, o.running_var);
  const Buffer sum = output(backend, s.dtype, c.x2 ? n : 0);
  const Buffer mean = output(backend, DType::f32, s.channels);
  const Buffer rstd = output(backend, DType::f32, s.channels);
  const Buffer y = output(backend, s.dtype, n);
  BatchNormForward args;
  args.x = x.data();
  args.x2 = c.x2 ? x2.data() : nullptr;
  args.sum = c.x2 ? sum.data() : nullptr;
  args.residual = c.residual ? residual.data() : nullptr;
  args.gamma = gamma.f32();
  args.beta = beta.f32();
  args.running_mean = with_running ? running_mean.f32() : nullptr;
  args.running_var = with_running ? running_var.f32() : nullptr;
  args.save_mean = mean.f32();
  args.save_rstd = rstd.f32();
  args.y = y.data();
  (c.training ? backend.batch_norm_forward_training : backend.batch_norm_forward_evaluation)(workspace.launch(), s,
                                                                                             args);
  return {y.values(), sum.values(), mean.values(), rstd.values(), running_mean.values(), running_var.values()};
}

/// Statistics in fp32 with a mean rounded once: |mean| u for the mean, its square on top for the variance; where the
/// sum is stored in a smaller type they may be of the stored or of the exact sum.
void check_statistics(const cases::BatchNormCase& c, const BatchNormOperands& o, const ForwardResult& r) {
  const reference::Statistics batch = reference::batch_statistics(c.shape, o.sum);
  Values mean_bounds;
  Values rstd_bounds;
  const Values rstd = reference::reciprocal_deviation(batch.variance, c.shape.epsilon);
  for (int k = 0; k < c.shape.channels; ++k) {
    const double spread = std::sqrt(batch.variance[k]);
    const double shift = o.x2_rounding * (std::abs(batch.mean[k]) + spread);
    const double rounded = 2 * 0x1p-24 * (std::abs(batch.mean[k]) + spread);
    mean_bounds.push_back(rounded + shift);
    const double variance_bound = rounded * rounded + 64 * 0x1p-24 * batch.variance[k] + 2 * spread * shift;
    rstd_bounds.push_back(rstd[k] * (variance_bound / (batch.variance[k] + c.shape.epsilon) + 4 * 0x1p-24));
  }
  check_within("mean", r.mean, batch.mean, mean_bounds);
  check_within("rstd", r.rstd, rstd, rstd_bounds);
}

/// y against the formula with the statistics the kernel itself reported.
void check_y(const cases::BatchNormCase& c, const BatchNormOperands& o, const ForwardResult& r) {
  const BatchNormShape& s = c.shape;
  const Values y = reference::batch_norm_forward(s, o.sum, r.mean, r.rstd, o.gamma, o.beta, o.residual);
  Values bounds;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t k = i % s.channels;
    const double scale = std::abs(o.gamma[k]) * r.rstd[k];
    double error = 8 * 0x1p-24 * (scale * (std::abs(o.sum[i]) + std::abs(r.mean[k])) + std::abs(o.beta[k]));
    error += scale * o.x2_rounding * std::abs(o.sum[i]);
    if (c.residual) error += 2 * 0x1p-24 * std::abs(o.residual[i]);
    bounds.push_back(error + unit_roundoff(s.dtype) * (std::abs(y[i]) + error) + FLT_MIN);
  }
  check_within("y", r.y, y, bounds);
}

double rows_over_rows_less_one(const BatchNormShape& s) {
  return s.rows / (s.rows - 1.0);
}

BACKEND_TEST("batch norm in training normalises with the statistics of the batch and updates the running ones") {
  NEEDS(batch_norm_forward_training);
  for (const cases::BatchNormCase& c : cases::batch_norm_cases()) {
    if (!c.training || c.addend || !c.dx || !c.parameters) continue;
    CAPTURE(c.id);
    const BatchNormOperands o(c);
    const ForwardResult r = run_forward(backend, c, o);
    check_statistics(c, o, r);
    check_y(c, o, r);
    if (c.x2) check_equal("sum", r.sum, o.sum);
    Values running_mean = o.running_mean;
    Values running_var = o.running_var;
    reference::update_running(c.shape, reference::batch_statistics(c.shape, o.sum), running_mean, running_var);
    // mean and variance are below 10; momentum 0.1 passes a tenth of the error of the batch's
    const double share = 8 * 0x1p-24 + 0.1 * (64 * 0x1p-24 + 2 * o.x2_rounding);
    check_within("running mean", r.running_mean, running_mean, 10 * share);
    check_within("running variance", r.running_var, running_var, 10 * share * rows_over_rows_less_one(c.shape));
  }
}

BACKEND_TEST("batch norm in evaluation normalises with the running statistics and leaves them alone") {
  NEEDS(batch_norm_forward_evaluation);
  for (const cases::BatchNormCase& c : cases::batch_norm_cases()) {
    if (c.training || c.addend || !c.dx || !c.parameters) continue;
    CAPTURE(c.id);
    const BatchNormOperands o(c);
    const ForwardResult r = run_forward(backend, c, o);
    check_equal("running mean", r.running_mean, o.running_mean);
    check_equal("running variance", r.running_var, o.running_var);
    check_equal("saved mean", r.mean, o.running_mean);
    const Values rstd = reference::reciprocal_deviation(o.running_var, c.shape.epsilon);
    check_within("saved rstd", r.rstd, rstd, rounding_bounds(DType::f32, rstd, 4));
    check_y(c, o, r);
    if (c.x2) check_equal("sum", r.sum, o.sum);
  }
}

BACKEND_TEST("batch norm without running statistics still normalises with those of the batch") {
  NEEDS(batch_norm_forward_training);
  cases::BatchNormCase c;
  c.shape = cases::batch_norm_shape(100, 5, DType::f32, false);
  const BatchNormOperands o(c);
  const ForwardResult r = run_forward(backend, c, o, false);
  check_statistics(c, o, r);
  check_y(c, o, r);
  check_equal("running mean", r.running_mean, o.running_mean);
}

BACKEND_TEST("batch norm's variance survives a mean that is ten thousand times the deviation") {
  NEEDS(batch_norm_forward_training);
  for (const std::int64_t rows : {100, 5000}) {
    for (const double deviation : {1.0, 0.1}) {
      cases::BatchNormCase c;
      c.shape = cases::batch_norm_shape(rows, 7, DType::f32, false);
      BatchNormOperands o(c);
      o.x = normal_values(o.x.size(), 11, DType::f32, 1000, deviation);
      o.sum = o.x;
      CAPTURE(rows);
      CAPTURE(deviation);
      const ForwardResult r = run_forward(backend, c, o);
      check_statistics(c, o, r);
      check_y(c, o, r);
    }
  }
}

BACKEND_TEST("batch norm of constant channels gives beta") {
  NEEDS(batch_norm_forward_training);
  cases::BatchNormCase c;
  c.shape = cases::batch_norm_shape(64, 3, DType::f32, false);
  BatchNormOperands o(c);
  for (double& value : o.x) value = 3.25;
  o.sum = o.x;
  const ForwardResult r = run_forward(backend, c, o);
  Values beta(o.x.size());
  for (std::size_t i = 0; i < beta.size(); ++i) beta[i] = o.beta[i % 3];
  check_within("y", r.y, beta, 1e-6);
}

}  // namespace
}  // namespace retort::test
