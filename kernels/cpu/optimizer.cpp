#include "kernels/optimizer.h"

#include <cmath>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/parallel.h"

namespace retort::cpu {
namespace {

constexpr std::int64_t kNormGrain = 16384;
constexpr std::int64_t kUpdateGrain = 16384;

template <typename T>
double square_sum(const T* gradient, std::int64_t begin, std::int64_t end) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = begin; i < end; ++i) {
    const double g = widen(gradient[i]);
    sum += g * g;
  }
  return sum;
}

bool applied(const StepState& state) {
  return state.verdict == static_cast<std::int32_t>(StepVerdict::applied);
}

/// The ranges never overlap, which lets the loops vectorise.
template <bool kNesterov, bool kCopy, typename T>
void sgd(std::int64_t n, float* __restrict master, const T* __restrict gradient, float* __restrict buffer,
         bfloat16* __restrict copy, const StepState& state) {
  const float momentum = state.momentum;
  const float scale = state.gradient_scale, decay = state.weight_decay, rate = state.learning_rate;
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) {
    const float weight = master[i];
    const float g = scale * widen(gradient[i]) + decay * weight;
    const float b = momentum * buffer[i] + g;
    const float updated = weight - rate * (kNesterov ? g + momentum * b : b);
    buffer[i] = b;
    master[i] = updated;
    if constexpr (kCopy) copy[i] = narrow<bfloat16>(updated);
  }
}

/// AdamW's numbers of one step; the bias corrections are folded in, computed in double.
struct AdamStep {
  float beta1, beta2, epsilon;
  float scale, keep, rate, second_correction;
};

template <bool kCopy, typename T>
void adamw(std::int64_t n, float* __restrict master, const T* __restrict gradient, float* __restrict first,
           float* __restrict second, bfloat16* __restrict copy, const AdamStep& step) {
  const AdamStep s = step;
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) {
    const float g = s.scale * widen(gradient[i]);
    const float m = s.beta1 * first[i] + (1.0F - s.beta1) * g;
    const float v = s.beta2 * second[i] + (1.0F - s.beta2) * g * g;
    const float updated = master[i] * s.keep - s.rate * m / (std::sqrt(v * s.second_correction) + s.epsilon);
    first[i] = m;
    second[i] = v;
    master[i] = updated;
    if constexpr (kCopy) copy[i] = narrow<bfloat16>(updated);
  }
}

}  // namespace

std::size_t gradient_norm_workspace(std::int64_t n) {
  return static_cast<std::size_t>(chunk_count(n, kNormGrain)) * sizeof(double);
}

void gradient_norm(const Launch& launch, std::int64_t n, DType dtype, const void* gradient, bool first,
                   StepState* state) {
  RETORT_CHECK_AS(ErrorKind::internal, launch.workspace_bytes >= gradient_norm_workspace(n), "gradient norm has ",
                  launch.workspace_bytes, " bytes of workspace and needs ", gradient_norm_workspace(n));
  double* partial = static_cast<double*>(launch.workspace);
  with_type(dtype, [&](auto type) {
    for_ranges(n, kNormGrain, [&](auto begin, auto end) {
      partial[begin / kNormGrain] = square_sum(static_cast<const decltype(type)*>(gradient), begin, end);
    });
  });
  double sum = 0;
  for (std::int64_t chunk = 0; chunk < chunk_count(n, kNormGrain); ++chunk) sum += partial[chunk];
  state->gradient_square_sum = first ? sum : state->gradient_square_sum + sum;
}

void judge_step(const Launch&, int rows, const float* loss, StepState* state) {
  const float norm = static_cast<float>(std::sqrt(state->gradient_square_sum));
  state->gradient_norm = norm;
  state->gradient_scale = state->clip_norm > 0 && norm > state->clip_norm ? state->clip_norm / norm : 1.0F;
  StepVerdict verdict = std::isfinite(norm) ? StepVerdict::applied : StepVerdict::gradient_not_finite;
  for (int i = 0; i < rows; ++i) {
    if (!std::isfinite(loss[i])) verdict = StepVerdict::loss_not_finite;
  }
  state->verdict = static_cast<std::int32_t>(verdict);
}

void sgd_update(const Launch&, const ParameterRange& range, bool nesterov, const StepState* state) {
  if (!applied(*state)) return;
  with_type(range.gradient_dtype, [&](auto type) {
    const auto* gradient = static_cast<const decltype(type)*>(range.gradient);
    with_flag(nesterov, [&](auto looks_ahead) {
      with_flag(range.copy != nullptr, [&](auto has_copy) {
        for_ranges(range.n, kUpdateGrain, [&](auto begin, auto end) {
          sgd<looks_ahead(), has_copy()>(end - begin, range.master + begin, gradient + begin, range.momentum + begin,
                                         advance(range.copy, begin), *state);
        });
      });
    });
  });
}

void adamw_update(const Launch&, const ParameterRange& range, float beta1, float beta2, float epsilon,
                  const StepState* state) {
  if (!applied(*state)) return;
  const double count = static_cast<double>(state->step + 1);
  const double correction1 = 1.0 - std::pow(static_cast<double>(beta1), count);
  const double correction2 = 1.0 - std::pow(static_cast<double>(beta2), count);
  const double rate = state->learning_rate;
  const AdamStep step{.beta1 = beta1,
                      .beta2 = beta2,
                      .epsilon = epsilon,
                      .scale = state->gradient_scale,
                      .keep = static_cast<float>(1.0 - rate * state->weight_decay),
                      .rate = static_cast<float>(rate / correction1),
                      .second_correction = static_cast<float>(1.0 / correction2)};
  with_type(range.gradient_dtype, [&](auto type) {
    const auto* gradient = static_cast<const decltype(type)*>(range.gradient);
    with_flag(range.copy != nullptr, [&](auto has_copy) {
      for_ranges(range.n, kUpdateGrain, [&](auto begin, auto end) {
        adamw<has_copy()>(end - begin, range.master + begin, gradient + begin, range.momentum + begin,
                          range.second_moment + begin, advance(range.copy, begin), step);
      });
    });
  });
}

}  // namespace retort::cpu
