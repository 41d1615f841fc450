// One block does each: the queue holds two batches at most, and its order has to be that of the rows.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/warp.h"
#include "kernels/queue.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;

/// A participant's place is the number of participants before it: in its warp by ballot, in the warps before by sums.
__global__ void push_kernel(int rows, const std::int32_t* samples, const std::int32_t* participates,
                            const StepState* state, std::int32_t* queue, std::int32_t* count) {
  if (state->verdict != static_cast<std::int32_t>(StepVerdict::applied)) return;
  __shared__ int counts[kWarps];
  const int thread = static_cast<int>(threadIdx.x);
  int filled = *count;
  for (int first = 0; first < rows; first += kThreads) {
    const int i = first + thread;
    const bool enters = i < rows && participates[i] != 0;
    const unsigned ballot = __ballot_sync(kAllLanes, enters ? 1 : 0);
    if (lane_number() == 0) counts[warp_number()] = __popc(ballot);
    __syncthreads();
    int before = __popc(ballot & ((1U << lane_number()) - 1U));
    int all = 0;
    for (int warp = 0; warp < kWarps; ++warp) {
      if (warp < warp_number()) before += counts[warp];
      all += counts[warp];
    }
    if (enters) queue[filled + before] = samples[i];
    filled += all;
    __syncthreads();  // before the counts are overwritten
  }
  if (thread == 0) *count = filled;
}

__global__ void pop_kernel(int batch, std::int32_t* queue, std::int32_t* count, std::int32_t* out) {
  const int thread = static_cast<int>(threadIdx.x);
  const int filled = *count;
  for (int i = thread; i < batch; i += kThreads) out[i] = queue[i];
  // What is written lies before what is still to be read, but not before what others read in the same round.
  for (int first = batch; first < filled; first += kThreads) {
    const int i = first + thread;
    const std::int32_t sample = i < filled ? queue[i] : 0;
    __syncthreads();
    if (i < filled) queue[i - batch] = sample;
    __syncthreads();
  }
  __syncthreads();
  if (thread == 0) *count = filled - batch;
}

}  // namespace

void queue_push(const Launch& at, int rows, const std::int32_t* samples, const std::int32_t* participates,
                const StepState* state, std::int32_t* queue, std::int32_t* count) {
  if (rows == 0) return;  // the kernel's barriers are those of its rounds
  launch(at, "queue_push", &push_kernel, 1, kThreads, 0, rows, samples, participates, state, queue, count);
}

void queue_pop(const Launch& at, int batch, std::int32_t* queue, std::int32_t* count, std::int32_t* out) {
  launch(at, "queue_pop", &pop_kernel, 1, kThreads, 0, batch, queue, count, out);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
