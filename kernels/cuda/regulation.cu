// A warp a row: softmax, cross-entropy, mask and gradient in one pass over the logits.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/row_softmax.h"
#include "kernels/regulation.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

template <int kHeld>
__global__ void cross_entropy_kernel(RegulationRule rule, int rows, int classes, float smoothing, const float* logits,
                                     const std::int32_t* labels, const std::int32_t* samples, const StepState* state,
                                     LossRows out, float* dlogits) {
  const int i = static_cast<int>(blockIdx.x) * kRowsPerBlock + warp_number();
  if (i >= rows) return;
  const RowLogits<kHeld> row(logits + std::int64_t{i} * classes, classes);
  const Top top = top_of(row);
  const RowSoftmax<kHeld> softmax(row, top);
  const std::int32_t label = labels[i];
  const bool labelled = label != no_label;
  float loss = labelled ? -(1.0F - smoothing) * softmax.log_probability(row[label]) : 0.0F;
  if (labelled && smoothing > 0) {
    float sum = 0;
    row.each([&](int, float z) { sum += softmax.log_probability(z); });
    loss -= smoothing * warp_sum(sum) / static_cast<float>(classes);
  }
  if (lane_number() == 0) out.loss[i] = loss;
  const bool participates = judge_row(row, top, softmax, rule, i, label, label, samples[i], *state, out);
  if (dlogits == nullptr) return;
  float* dz = dlogits + std::int64_t{i} * classes;
  const float divisor = state->divisor;
  const float other = smoothing / static_cast<float>(classes);
  row.each([&](int c, float z) {
    const float target = other + (c == label ? 1.0F - smoothing : 0.0F);
    dz[c] = participates && labelled ? (softmax.probability(z) - target) / divisor : 0.0F;
  });
}

constexpr int kThreads = 256;

/// Each block counts the participants for itself: a batch has few rows.
__global__ void divide_kernel(int rows, std::int64_t n, const std::int32_t* participates, const StepState* state,
                              float* dlogits) {
  __shared__ int counts[kThreads / kWarp];
  int count = 0;
  for (int i = static_cast<int>(threadIdx.x); i < rows; i += kThreads) count += participates[i];
  count = warp_sum(count);
  if (lane_number() == 0) counts[warp_number()] = count;
  __syncthreads();
  int total = 0;
  for (const int warp_count : counts) total += warp_count;
  const float factor = state->divisor / static_cast<float>(total > 1 ? total : 1);
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) dlogits[i] *= factor;
}

}  // namespace

void regulated_cross_entropy(const Launch& at, const RegulationRule& rule, int rows, int classes, float label_smoothing,
                             const float* logits, const std::int32_t* labels, const std::int32_t* samples,
                             const StepState* state, const LossRows& out, float* dlogits) {
  if (rows == 0) return;
  with_held(classes, [&](auto held) {
    launch(at, "regulated_cross_entropy", &cross_entropy_kernel<held()>, (rows + kRowsPerBlock - 1) / kRowsPerBlock,
           kRowsPerBlock * kWarp, 0, rule, rows, classes, label_smoothing, logits, labels, samples, state, out,
           dlogits);
  });
}

void divide_by_participants(const Launch& at, int rows, int classes, const std::int32_t* participates,
                            const StepState* state, float* dlogits) {
  const std::int64_t n = std::int64_t{rows} * classes;
  if (n == 0) return;
  launch(at, "divide_by_participants", &divide_kernel, striding_blocks(n, kThreads), kThreads, 0, rows, n, participates,
         state, dlogits);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
