// A warp a row.
#include "kernels/contrary_loss.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/row_softmax.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

template <int kHeld>
__global__ void contrary_kernel(int rows, int classes, const float* logits, const std::int32_t* labels, float divisor,
                                float* loss, float* dlogits) {
  const int i = static_cast<int>(blockIdx.x) * kRowsPerBlock + warp_number();
  if (i >= rows) return;
  const std::int64_t first = std::int64_t{i} * classes;
  const RowLogits<kHeld> row(logits + first, classes);
  const std::int32_t label = labels[i];
  if (label == no_label) {
    if (lane_number() == 0) loss[i] = 0;
    if (dlogits != nullptr) row.each([&](int c, float) { dlogits[first + c] = 0; });
    return;
  }
  const RowSoftmax<kHeld> softmax(row, top_of(row));
  // The others' probabilities add up to what is missing, without the cancellation of 1 - p.
  float others = 0;
  row.each([&](int c, float z) { others += c == label ? 0.0F : softmax.probability(z); });
  others = warp_sum(others);
  const float doubt = others + 1e-8F;
  if (lane_number() == 0) loss[i] = -logf(doubt);
  if (dlogits == nullptr) return;
  const float scale = softmax.probability(row[label]) / (doubt * divisor);
  row.each([&](int c, float z) { dlogits[first + c] = scale * (c == label ? others : -softmax.probability(z)); });
}

}  // namespace

void contrary_loss(const Launch& at, int rows, int classes, const float* logits, const std::int32_t* labels,
                   float divisor, float* loss, float* dlogits) {
  if (rows == 0) return;
  with_held(classes, [&](auto held) {
    launch(at, "contrary_loss", &contrary_kernel<held()>, (rows + kRowsPerBlock - 1) / kRowsPerBlock,
           kRowsPerBlock * kWarp, 0, rows, classes, logits, labels, divisor, loss, dlogits);
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
