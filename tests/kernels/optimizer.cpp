// Gradient norm, verdict and the two optimizers on every backend.
#include "tests/reference/optimizer.h"

#include "tests/cases/optimizer_cases.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

enum class Optimizer { sgd, adamw };

struct Parameters {
  Values master, momentum, second, copy;
};

StepState state_of(const cases::OptimizerCase& c) {
  StepState state;
  state.learning_rate = 0.1F;
  state.momentum = c.momentum;
  state.weight_decay = c.weight_decay;
  state.gradient_scale = c.gradient_scale;
  state.step = c.step;
  return state;
}

Parameters initial(const cases::OptimizerCase& c) {
  return {normal_values(c.n, 1), normal_values(c.n, 2), random_values(c.n, 3, DType::f32, 0.01, 1),
          Values(c.copy ? c.n : 0, NAN)};
}

Parameters run_update(const Backend& backend, Optimizer which, const cases::OptimizerCase& c, const StepState& host,
                      const Values& gradient_values) {
  const Parameters start = initial(c);
  const DeviceStruct<StepState> state(backend, host, Buffer::Use::input);
  const Buffer master = inout(backend, DType::f32, start.master);
  const Buffer gradient = input(backend, c.gradient, gradient_values);
  const Buffer momentum = inout(backend, DType::f32, start.momentum);
  const Buffer second = inout(backend, DType::f32, start.second);
  const Buffer copy = output(backend, DType::bf16, start.copy.size());
  ParameterRange range;
  range.n = c.n;
  range.master = master.f32();
  range.gradient = gradient.data();
  range.gradient_dtype = c.gradient;
  range.momentum = momentum.f32();
  range.second_moment = which == Optimizer::adamw ? second.f32() : nullptr;
  range.copy = c.copy ? copy.as<bfloat16>() : nullptr;
  if (which == Optimizer::sgd) {
    backend.sgd_update({}, range, c.nesterov, state.data());
  } else {
    backend.adamw_update({}, range, 0.9F, 0.999F, 1e-8F, state.data());
  }
  return {master.values(), momentum.values(), second.values(), copy.values()};
}

void check_copy(const Parameters& p) {
  Values rounded = p.master;
  for (double& value : rounded) value = round_to(DType::bf16, value);
  if (!p.copy.empty()) check_equal("bf16 copy", p.copy, rounded);
}

BACKEND_TEST("SGD follows PyTorch's formula with momentum, Nesterov, decay and clipping") {
  NEEDS(sgd_update);
  for (const cases::OptimizerCase& c : cases::optimizer_cases()) {
    CAPTURE(c.id);
    const Values gradient = normal_values(c.n, 4, c.gradient);
    const Parameters p = run_update(backend, Optimizer::sgd, c, state_of(c), gradient);
    Parameters e = initial(c);
    reference::sgd(e.master, e.momentum, gradient, state_of(c), c.momentum, c.nesterov);
    // every term is below 16 in size, and none meets more than 4 roundings
    check_within("momentum", p.momentum, e.momentum, 64 * 0x1p-24);
    check_within("master", p.master, e.master, 64 * 0x1p-24);
    check_copy(p);
  }
}

BACKEND_TEST("AdamW follows the paper's decoupled decay and bias correction") {
  NEEDS(adamw_update);
  for (const cases::OptimizerCase& c : cases::optimizer_cases()) {
    CAPTURE(c.id);
    const Values gradient = normal_values(c.n, 4, c.gradient);
    const Parameters p = run_update(backend, Optimizer::adamw, c, state_of(c), gradient);
    Parameters e = initial(c);
    reference::adamw(e.master, e.momentum, e.second, gradient, state_of(c), 0.9F, 0.999F, 1e-8F);
    check_within("first moment", p.momentum, e.momentum, 64 * 0x1p-24);
    check_within("second moment", p.second, e.second, 64 * 0x1p-24);
    // the step is lr mhat / sqrt(vhat): at step 0 |mhat| is up to 50 and 1 - beta2^1 = 0.001 is known to 2^-24 / 0.001
    const Values start = initial(c).master;
    const double correction = 1 / (1 - std::pow(0.999, static_cast<double>(c.step + 1)));
    Values bounds;
    for (std::size_t i = 0; i < e.master.size(); ++i) {
      const double move = std::abs(e.master[i] - start[i]);
      bounds.push_back(0x1p-24 * (64 + move * (16 + correction)));
    }
    check_within("master", p.master, e.master, bounds);
    check_copy(p);
  }
}

BACKEND_TEST("three steps of SGD from rest match the hand-computed weights") {
  NEEDS(sgd_update);
  // w = 1, gradient always 1, lr 0.1, momentum 0.5: buffers 1, 1.5, 1.75
  for (const bool nesterov : {false, true}) {
    StepState host;
    host.learning_rate = 0.1F;
    host.momentum = 0.5F;
    const DeviceStruct<StepState> state(backend, host);
    const Buffer master = inout(backend, DType::f32, {1});
    const Buffer gradient = input(backend, DType::f32, {1});
    const Buffer momentum = inout(backend, DType::f32, {0});
    ParameterRange range;
    range.n = 1;
    range.master = master.f32();
    range.gradient = gradient.data();
    range.momentum = momentum.f32();
    for (int i = 0; i < 3; ++i) backend.sgd_update({}, range, nesterov, state.data());
    CHECK(momentum.values()[0] == 1.75);
    const double expected = nesterov ? 1 - 0.1 * (1.5 + 1.75 + 1.875) : 1 - 0.1 * (1 + 1.5 + 1.75);
    CHECK(std::abs(master.values()[0] - expected) < 1e-6);
  }
}

BACKEND_TEST("no optimizer touches anything when the step was judged bad") {
  NEEDS(sgd_update);
  for (const StepVerdict verdict : {StepVerdict::loss_not_finite, StepVerdict::gradient_not_finite}) {
    for (const Optimizer which : {Optimizer::sgd, Optimizer::adamw}) {
      for (const cases::OptimizerCase& c : cases::optimizer_cases()) {
        CAPTURE(c.id);
        StepState host = state_of(c);
        host.verdict = static_cast<std::int32_t>(verdict);
        const Parameters p = run_update(backend, which, c, host, Values(c.n, NAN));
        const Parameters start = initial(c);
        check_equal("master", p.master, start.master);
        check_equal("momentum", p.momentum, start.momentum);
        check_equal("second moment", p.second, start.second);
        check_equal("copy", p.copy, start.copy);
      }
    }
  }
}

double run_norm(const Backend& backend, DType dtype, const Values& gradient, bool first, double before = 3) {
  StepState host;
  host.gradient_square_sum = before;
  const DeviceStruct<StepState> state(backend, host);
  const Buffer values = input(backend, dtype, gradient);
  const std::int64_t n = static_cast<std::int64_t>(gradient.size());
  const Workspace workspace(backend, backend.gradient_norm_workspace(n));
  backend.gradient_norm(workspace.launch(), n, dtype, values.data(), first, state.data());
  return state.get().gradient_square_sum;
}

BACKEND_TEST("the gradient's square sum is a double: exact where floats would round, finite where they overflow") {
  NEEDS(gradient_norm);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const std::size_t n : {1, 3, 16, 100, 4097, 300001}) {
      CAPTURE(n);
      const Values gradient = normal_values(n, 1, dtype);
      const double expected = reference::square_sum(gradient);
      const double bound = 1e-13 * (expected + 3) * std::sqrt(static_cast<double>(n));
      CHECK(std::abs(run_norm(backend, dtype, gradient, true) - expected) <= bound);
      CHECK(std::abs(run_norm(backend, dtype, gradient, false) - expected - 3) <= bound);
      CHECK(run_norm(backend, dtype, gradient, true) == run_norm(backend, dtype, gradient, true));
    }
    const double huge = round_to(dtype, 1e30);
    CHECK(run_norm(backend, dtype, {huge, huge}, true) == doctest::Approx(2 * huge * huge).epsilon(1e-12));
    const double tiny = round_to(dtype, 1e-30);
    CHECK(run_norm(backend, dtype, {tiny}, true) == doctest::Approx(tiny * tiny).epsilon(1e-12));
    Values bad(1000, 1.0);
    for (const double poison : {static_cast<double>(NAN), HUGE_VAL, -HUGE_VAL}) {
      bad[777] = poison;
      CHECK_FALSE(std::isfinite(run_norm(backend, dtype, bad, true)));
    }
  }
}

StepState judge(const Backend& backend, double square_sum, float clip_norm, const Values& losses) {
  StepState host;
  host.gradient_square_sum = square_sum;
  host.clip_norm = clip_norm;
  host.gradient_norm = -1;
  host.gradient_scale = -1;
  host.verdict = 77;
  const DeviceStruct<StepState> state(backend, host);
  const Buffer loss = input(backend, DType::f32, losses);
  backend.judge_step({}, static_cast<int>(losses.size()), loss.f32(), state.data());
  return state.get();
}

BACKEND_TEST("a step is judged by its mean loss and gradient norm, and clipped only above the bound") {
  NEEDS(judge_step);
  const Values losses = random_values(100, 1);
  const auto is = [](const StepState& s, StepVerdict verdict) {
    return s.verdict == static_cast<std::int32_t>(verdict);
  };
  for (const float clip : {0.0F, 4.0F, 10.0F, 1.0F}) {
    const StepState s = judge(backend, 16, clip, losses);
    CHECK(is(s, StepVerdict::applied));
    CHECK(s.gradient_norm == 4.0F);
    CHECK(s.gradient_scale == doctest::Approx(clip == 1.0F ? 0.25F : 1.0F).epsilon(1e-5));
  }
  const StepState zero = judge(backend, 0, 1, losses);
  CHECK(is(zero, StepVerdict::applied));
  CHECK(zero.gradient_scale == 1.0F);
  for (const double bad : {static_cast<double>(NAN), HUGE_VAL, -HUGE_VAL}) {
    for (const std::size_t at : {0, 50, 99}) {
      Values poisoned = losses;
      poisoned[at] = bad;
      CHECK(is(judge(backend, 16, 1, poisoned), StepVerdict::loss_not_finite));
      CHECK_FALSE(is(judge(backend, bad, 1, poisoned), StepVerdict::applied));
    }
    CHECK(is(judge(backend, std::abs(bad), 0, losses), StepVerdict::gradient_not_finite));
    CHECK(is(judge(backend, std::abs(bad), 1, losses), StepVerdict::gradient_not_finite));
  }
}

BACKEND_TEST("judging a step changes no total and no counter") {
  NEEDS(judge_step);
  const StepState fresh;
  for (const double loss : {1.0, static_cast<double>(NAN)}) {
    const StepState judged = judge(backend, 16, 1, {loss});
    CHECK(judged.gradient_square_sum == 16);
    CHECK(judged.step == fresh.step);
    CHECK(judged.skipped == fresh.skipped);
    CHECK(judged.steps_applied == fresh.steps_applied);
    CHECK(judged.loss_sum == fresh.loss_sum);
  }
}

}  // namespace
}  // namespace retort::test
