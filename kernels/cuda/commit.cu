// The last kernel of a step: all of it or nothing.
#include "kernels/commit.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

/// By the whole block: the first of the values that is not finite, or -1, for thread 0.
__device__ std::int64_t first_not_finite(const float* values, std::int64_t n) {
  __shared__ std::int64_t found[kThreads];
  std::int64_t mine = n;
  for (std::int64_t i = threadIdx.x; i < n && mine == n; i += kThreads) {
    if (!isfinite(values[i])) mine = i;
  }
  found[threadIdx.x] = mine;
  __syncthreads();
  if (threadIdx.x != 0) return -1;
  std::int64_t first = n;
  for (const std::int64_t one : found) first = one < first ? one : first;
  return first == n ? -1 : first;
}

/// All blocks copy the buffers; the first one counts. Of the state they all read the verdict, which nobody writes.
__global__ void commit_kernel(StepOutcome outcome, StepState* state) {
  const bool applied = state->verdict == static_cast<std::int32_t>(StepVerdict::applied);
  if (applied) {
    for (std::int64_t i = grid_thread(); i < outcome.buffer_count; i += grid_threads()) {
      outcome.buffers[i] = outcome.pending_buffers[i];
    }
  }
  if (blockIdx.x > 0) return;
  if (!applied) {
    const std::int64_t culprit = first_not_finite(outcome.gradient, outcome.gradient_count);
    if (threadIdx.x == 0) count_skipped(*state, culprit, outcome.log);
    return;
  }

  __shared__ double losses[kThreads / kWarp];
  __shared__ double errors[kThreads / kWarp];
  __shared__ int counts[kThreads / kWarp];
  __shared__ int entries[kThreads / kWarp];
  __shared__ int mixed[kThreads / kWarp];
  double loss_sum = 0;
  double error_sum = 0;
  int correct = 0;
  int participants = 0;
  int mixtures = 0;
  for (int i = static_cast<int>(threadIdx.x); i < outcome.rows; i += kThreads) {
    const std::int32_t participates = outcome.participates[i];
    if (outcome.loss != nullptr) loss_sum += outcome.loss[i];
    if (outcome.error != nullptr) error_sum += outcome.error[i];
    if (outcome.correct != nullptr) correct += outcome.correct[i];
    participants += participates;
    if (outcome.labels != nullptr) mixtures += outcome.labels[i] == no_label ? 1 : 0;
    // A batch may have a sample twice: it is counted twice, in any order, and judged and entered with the same value.
    if (outcome.significance != nullptr) atomicAdd(outcome.significance + outcome.samples[i], participates);
    if (outcome.judged != nullptr) store_same(outcome.judged + outcome.samples[i], participates != 0 ? 1 : 0);
    if (outcome.entered != nullptr && participates != 0) store_same(outcome.entered + outcome.samples[i], 1);
  }
  loss_sum = block_sum<kThreads>(loss_sum, losses);
  error_sum = block_sum<kThreads>(error_sum, errors);
  correct = block_sum<kThreads>(correct, counts);
  participants = block_sum<kThreads>(participants, entries);
  mixtures = block_sum<kThreads>(mixtures, mixed);
  if (threadIdx.x == 0) count_applied(*state, outcome.rows, loss_sum, error_sum, correct, participants, mixtures);
}

}  // namespace

void commit_step(const Launch& at, const StepOutcome& outcome, StepState* state) {
  launch(at, "commit_step", &commit_kernel, striding_blocks(outcome.buffer_count, kThreads), kThreads, 0, outcome,
         state);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
