// The row in registers: each lane keeps its logits of both networks, four each for up to 128 classes, so that every
// byte crosses the memory bus once. What is left is the label's logit, which one lane has and hands to the others.
#include "bench/lab/kd_loss/kd_loss.h"
#include "bench/lab/kd_loss/warp_softmax.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

constexpr int kRowsPerBlock = 4;
constexpr int kHeld = 4;  ///< logits a lane and network

__global__ void kernel(KdLoss p) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kRowsPerBlock + warp_number();
  if (i >= p.rows) return;
  float z[kHeld];
  float t[kHeld];
  for (int j = 0; j < kHeld; ++j) {
    const int c = lane_number() + j * kWarp;
    z[j] = c < p.classes ? p.student[i * p.classes + c] : -INFINITY;  // exp(-inf) adds nothing
    t[j] = c < p.classes ? p.teacher[i * p.classes + c] : -INFINITY;
  }
  const auto each_of = [](const float(&held)[kHeld]) {
    return [&held](const auto& body) {
      for (int j = 0; j < kHeld; ++j) body(held[j]);
    };
  };
  const WarpSoftmax hard = WarpSoftmax::of(each_of(z), 1);
  const WarpSoftmax student = WarpSoftmax::of(each_of(z), p.temperature);
  const WarpSoftmax teacher = WarpSoftmax::of(each_of(t), p.temperature);
  const int label = p.labels[i];
  float divergence = 0;
  float label_logit = 0;
  for (int j = 0; j < kHeld; ++j) {
    const int c = lane_number() + j * kWarp;
    if (c >= p.classes) continue;
    divergence += teacher.probability(t[j]) * (teacher.log_probability(t[j]) - student.log_probability(z[j]));
    if (c == label) label_logit = z[j];
  }
  divergence = warp_sum(divergence);
  label_logit = warp_sum(label_logit);  // zeros but for one
  if (lane_number() == 0) {
    p.loss[i] =
        (p.alpha - 1) * hard.log_probability(label_logit) + p.alpha * p.temperature * p.temperature * divergence;
  }
  for (int j = 0; j < kHeld; ++j) {
    const int c = lane_number() + j * kWarp;
    if (c >= p.classes) continue;
    const float to_label = hard.probability(z[j]) - (c == label ? 1.0F : 0.0F);
    const float to_teacher = student.probability(z[j]) - teacher.probability(t[j]);
    p.dlogits[i * p.classes + c] = (1 - p.alpha) * to_label + p.alpha * p.temperature * to_teacher;
  }
}

}  // namespace

void kd_loss_v3(const Launch& at, const KdLoss& p) {
  launch(at, "kd_loss_v3", &kernel, static_cast<unsigned>((p.rows + kRowsPerBlock - 1) / kRowsPerBlock),
         kRowsPerBlock * kWarp, 0, p);
}

}  // namespace retort::lab
