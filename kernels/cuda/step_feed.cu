// A few hundred numbers and a handful of scalars: one block.
#include "kernels/cuda/launch.h"
#include "kernels/step_feed.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

__global__ void begin_kernel(StepFeed feed, int rows, std::int32_t* samples, StepState* state) {
  const std::int64_t batch = state->batch;
  __syncthreads();  // before it is counted on
  const std::int32_t* order = feed.order + batch * feed.batch;
  for (int i = static_cast<int>(threadIdx.x); i < rows; i += kThreads) samples[i] = order[i];
  if (threadIdx.x != 0) return;
  if (feed.rates != nullptr) {
    const StepRates rates = feed.rates[batch];
    state->learning_rate = rates.learning_rate;
    state->momentum = rates.momentum;
  }
  state->divisor = static_cast<float>(rows);
  state->batches_waiting += 1;
  state->batch = batch + 1;
}

__global__ void hand_over_kernel(int rows, StepState* scoring, StepState* training) {
  hand_over(rows, *scoring, *training);
}

}  // namespace

void begin_step(const Launch& at, const StepFeed& feed, int rows, std::int32_t* samples, StepState* state) {
  launch(at, "begin_step", &begin_kernel, 1, kThreads, 0, feed, rows, samples, state);
}

void begin_queued_step(const Launch& at, int rows, StepState* scoring, StepState* training) {
  launch(at, "begin_queued_step", &hand_over_kernel, 1, 1, 0, rows, scoring, training);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
