// The end of a step. The update reads and writes every parameter once; what it multiplies with is read from StepState,
// so that a captured step follows a schedule.
#include <cmath>

#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pack.h"
#include "kernels/optimizer.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kNormChunk = 16384;  ///< elements a block, whatever the device: the order of sums is fixed

std::int64_t norm_chunks(std::int64_t n) {
  return (n + kNormChunk - 1) / kNormChunk;
}

template <typename T>
__global__ void square_sums_kernel(std::int64_t n, const T* gradient, double* partial) {
  __shared__ double scratch[kThreads / kWarp];
  const std::int64_t begin = std::int64_t{blockIdx.x} * kNormChunk;
  const std::int64_t end = begin + kNormChunk < n ? begin + kNormChunk : n;
  double sum = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    const double g = widen(gradient[i]);
    sum += g * g;
  }
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void add_square_sums_kernel(std::int64_t chunks, const double* partial, bool first, StepState* state) {
  __shared__ double scratch[kThreads / kWarp];
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < chunks; i += kThreads) sum += partial[i];
  sum = block_sum<kThreads>(sum, scratch);
  if (threadIdx.x == 0) state->gradient_square_sum = first ? sum : state->gradient_square_sum + sum;
}

__global__ void judge_kernel(int rows, const float* loss, StepState* state) {
  __shared__ int scratch[kThreads / kWarp];
  int bad = 0;
  for (int i = static_cast<int>(threadIdx.x); i < rows; i += kThreads) bad += isfinite(loss[i]) ? 0 : 1;
  bad = block_sum<kThreads>(bad, scratch);
  if (threadIdx.x != 0) return;
  const float norm = static_cast<float>(sqrt(state->gradient_square_sum));
  state->gradient_norm = norm;
  state->gradient_scale = state->clip_norm > 0 && norm > state->clip_norm ? state->clip_norm / norm : 1.0F;
  StepVerdict verdict = isfinite(norm) ? StepVerdict::applied : StepVerdict::gradient_not_finite;
  if (bad > 0) verdict = StepVerdict::loss_not_finite;
  state->verdict = static_cast<std::int32_t>(verdict);
}

constexpr int kQuad = 4;  ///< elements a thread takes at a time: sixteen bytes of a weight, eight of a bf16 gradient

struct Sgd {
  float momentum, scale, decay, rate;
  bool nesterov;

  struct Settings {
    bool nesterov;
  };
  __device__ Sgd(const Settings& settings, const StepState& state)
      : momentum(state.momentum),
        scale(state.gradient_scale),
        decay(state.weight_decay),
        rate(state.learning_rate),
        nesterov(settings.nesterov) {}

  static constexpr bool kSecond = false;
  __device__ void operator()(float gradient, float& weight, float& buffer, float&) const {
    const float g = scale * gradient + decay * weight;
    buffer = momentum * buffer + g;
    weight -= rate * (nesterov ? g + momentum * buffer : buffer);
  }
};

/// The bias corrections are folded into the rate and the second moment, in double.
struct AdamW {
  float beta1, beta2, epsilon;
  float scale, keep, rate, second_correction;

  struct Settings {
    float beta1, beta2, epsilon;
  };
  __device__ AdamW(const Settings& settings, const StepState& state)
      : beta1(settings.beta1), beta2(settings.beta2), epsilon(settings.epsilon), scale(state.gradient_scale) {
    const double count = static_cast<double>(state.step + 1);
    const double step = state.learning_rate;
    keep = static_cast<float>(1.0 - step * state.weight_decay);
    rate = static_cast<float>(step / (1.0 - pow(static_cast<double>(beta1), count)));
    second_correction = static_cast<float>(1.0 / (1.0 - pow(static_cast<double>(beta2), count)));
  }

  static constexpr bool kSecond = true;
  __device__ void operator()(float gradient, float& weight, float& first, float& second) const {
    const float g = scale * gradient;
    first = beta1 * first + (1.0F - beta1) * g;
    second = beta2 * second + (1.0F - beta2) * g * g;
    weight = weight * keep - rate * first / (sqrtf(second * second_correction) + epsilon);
  }
};

/// One element at a time: what is left over, and ranges that are not aligned.
template <typename Rule, typename T>
__device__ void update_one(const Rule& rule, const ParameterRange& range, std::int64_t i) {
  float weight = range.master[i];
  float first = range.momentum[i];
  float second = Rule::kSecond ? range.second_moment[i] : 0.0F;
  rule(widen(static_cast<const T*>(range.gradient)[i]), weight, first, second);
  range.master[i] = weight;
  range.momentum[i] = first;
  if constexpr (Rule::kSecond) range.second_moment[i] = second;
  if (range.copy != nullptr) range.copy[i] = narrow<bfloat16>(weight);
}

template <typename Rule, typename T>
__global__ void update_kernel(ParameterRange range, typename Rule::Settings settings, bool quads,
                              const StepState* state) {
  if (state->verdict != static_cast<std::int32_t>(StepVerdict::applied)) return;
  const Rule rule(settings, *state);
  const std::int64_t count = quads ? range.n / kQuad : 0;
  for (std::int64_t q = grid_thread(); q < count; q += grid_threads()) {
    const std::int64_t i = kQuad * q;
    const Pack<T, kQuad> gradient = load_pack<kQuad>(static_cast<const T*>(range.gradient) + i);
    Pack<float, kQuad> weight = load_pack<kQuad>(range.master + i);
    Pack<float, kQuad> first = load_pack<kQuad>(range.momentum + i);
    Pack<float, kQuad> second{};
    if constexpr (Rule::kSecond) second = load_pack<kQuad>(range.second_moment + i);
#pragma unroll
    for (int j = 0; j < kQuad; ++j) rule(widen(gradient.v[j]), weight.v[j], first.v[j], second.v[j]);
    store_pack(range.master + i, weight);
    store_pack(range.momentum + i, first);
    if constexpr (Rule::kSecond) store_pack(range.second_moment + i, second);
    if (range.copy != nullptr) {
      Pack<bfloat16, kQuad> copy;
#pragma unroll
      for (int j = 0; j < kQuad; ++j) copy.v[j] = narrow<bfloat16>(weight.v[j]);
      store_pack(range.copy + i, copy);
    }
  }
  for (std::int64_t i = kQuad * count + grid_thread(); i < range.n; i += grid_threads()) {
    update_one<Rule, T>(rule, range, i);
  }
}

template <typename Rule>
void update(const Launch& at, const char* name, const ParameterRange& range, const typename Rule::Settings& settings,
            const StepState* state) {
  if (range.n == 0) return;
  // Sixteen-byte alignment of all is more than eight bytes of bf16 need, and what arenas give.
  const bool quads =
      wide(range.master, static_cast<const float*>(range.gradient), range.momentum, range.second_moment, range.copy);
  const unsigned blocks = striding_blocks(quads ? (range.n + kQuad - 1) / kQuad : range.n, kThreads);
  with_type(range.gradient_dtype, [&](auto type) {
    launch(at, name, &update_kernel<Rule, decltype(type)>, blocks, kThreads, 0, range, settings, quads, state);
  });
}

}  // namespace

std::size_t gradient_norm_workspace(std::int64_t n) {
  return static_cast<std::size_t>(norm_chunks(n)) * sizeof(double);
}

void gradient_norm(const Launch& at, std::int64_t n, DType dtype, const void* gradient, bool first, StepState* state) {
  RETORT_CHECK_AS(ErrorKind::internal, at.workspace_bytes >= gradient_norm_workspace(n), "gradient norm has ",
                  at.workspace_bytes, " bytes of workspace and needs ", gradient_norm_workspace(n));
  auto* partial = static_cast<double*>(at.workspace);
  const std::int64_t chunks = norm_chunks(n);
  if (chunks > 0) {
    with_type(dtype, [&](auto type) {
      using T = decltype(type);
      launch(at, "gradient_norm", &square_sums_kernel<T>, static_cast<unsigned>(chunks), kThreads, 0, n,
             static_cast<const T*>(gradient), partial);
    });
  }
  launch(at, "gradient_norm", &add_square_sums_kernel, 1, kThreads, 0, chunks, partial, first, state);
}

void judge_step(const Launch& at, int rows, const float* loss, StepState* state) {
  launch(at, "judge_step", &judge_kernel, 1, kThreads, 0, rows, loss, state);
}

void sgd_update(const Launch& at, const ParameterRange& range, bool nesterov, const StepState* state) {
  update<Sgd>(at, "sgd_update", range, {nesterov}, state);
}

void adamw_update(const Launch& at, const ParameterRange& range, float beta1, float beta2, float epsilon,
                  const StepState* state) {
  update<AdamW>(at, "adamw_update", range, {beta1, beta2, epsilon}, state);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
