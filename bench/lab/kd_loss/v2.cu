// A warp a row: the 32 lanes read 32 neighbouring logits at once, four whole sectors, and add up by shuffles. The row
// is still read again for every sum; the cache is to answer for that.
#include "bench/lab/kd_loss/kd_loss.h"
#include "bench/lab/kd_loss/warp_softmax.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

constexpr int kRowsPerBlock = 4;

__global__ void kernel(KdLoss p) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kRowsPerBlock + warp_number();
  if (i >= p.rows) return;
  const float* z = p.student + i * p.classes;
  const float* t = p.teacher + i * p.classes;
  const auto each_of = [&](const float* row) {
    return [row, classes = p.classes](const auto& body) {
      for (int c = lane_number(); c < classes; c += kWarp) body(row[c]);
    };
  };
  const WarpSoftmax hard = WarpSoftmax::of(each_of(z), 1);
  const WarpSoftmax student = WarpSoftmax::of(each_of(z), p.temperature);
  const WarpSoftmax teacher = WarpSoftmax::of(each_of(t), p.temperature);
  float divergence = 0;
  for (int c = lane_number(); c < p.classes; c += kWarp) {
    divergence += teacher.probability(t[c]) * (teacher.log_probability(t[c]) - student.log_probability(z[c]));
  }
  divergence = warp_sum(divergence);
  const int label = p.labels[i];
  if (lane_number() == 0) {
    p.loss[i] = (p.alpha - 1) * hard.log_probability(z[label]) + p.alpha * p.temperature * p.temperature * divergence;
  }
  for (int c = lane_number(); c < p.classes; c += kWarp) {
    const float to_label = hard.probability(z[c]) - (c == label ? 1.0F : 0.0F);
    const float to_teacher = student.probability(z[c]) - teacher.probability(t[c]);
    p.dlogits[i * p.classes + c] = (1 - p.alpha) * to_label + p.alpha * p.temperature * to_teacher;
  }
}

}  // namespace

void kd_loss_v2(const Launch& at, const KdLoss& p) {
  launch(at, "kd_loss_v2", &kernel, static_cast<unsigned>((p.rows + kRowsPerBlock - 1) / kRowsPerBlock),
         kRowsPerBlock * kWarp, 0, p);
}

}  // namespace retort::lab
