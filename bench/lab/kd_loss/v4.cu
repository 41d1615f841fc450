// Sixteen bytes a lane: a lane keeps packs of four neighbouring logits, so that a warp asks for 512 bytes with one
// instruction instead of 128, and only as many packs as the row has: registers that hold nothing still keep other warps
// out. Rows have to begin at multiples of 16 bytes: the number of classes is a multiple of four.
#include "bench/lab/kd_loss/kd_loss.h"
#include "bench/lab/kd_loss/warp_softmax.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pack.h"

namespace retort::lab {
namespace {

constexpr int kRowsPerBlock = 4;
using Quad = Pack<float, 4>;

/// kHeld packs a lane and network.
template <int kHeld>
__global__ void kernel(KdLoss p) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kRowsPerBlock + warp_number();
  if (i >= p.rows) return;
  const int quads = p.classes / 4;
  Quad z[kHeld];
  Quad t[kHeld];
  for (int j = 0; j < kHeld; ++j) {
    const int q = lane_number() + j * kWarp;
    z[j] = t[j] = Quad{{-INFINITY, -INFINITY, -INFINITY, -INFINITY}};
    if (q >= quads) continue;
    z[j] = load_pack<4>(p.student + i * p.classes + 4 * q);
    t[j] = load_pack<4>(p.teacher + i * p.classes + 4 * q);
  }
  const auto each_of = [](const Quad(&held)[kHeld]) {
    return [&held](const auto& body) {
      for (int j = 0; j < kHeld; ++j) {
        for (int k = 0; k < 4; ++k) body(held[j].v[k]);
      }
    };
  };
  const WarpSoftmax hard = WarpSoftmax::of(each_of(z), 1);
  const WarpSoftmax student = WarpSoftmax::of(each_of(z), p.temperature);
  const WarpSoftmax teacher = WarpSoftmax::of(each_of(t), p.temperature);
  const int label = p.labels[i];
  float divergence = 0;
  float label_logit = 0;
  for (int j = 0; j < kHeld; ++j) {
    const int q = lane_number() + j * kWarp;
    if (q >= quads) continue;
    for (int k = 0; k < 4; ++k) {
      const float a = z[j].v[k];
      const float b = t[j].v[k];
      divergence += teacher.probability(b) * (teacher.log_probability(b) - student.log_probability(a));
      if (4 * q + k == label) label_logit = a;
    }
  }
  divergence = warp_sum(divergence);
  label_logit = warp_sum(label_logit);  // zeros but for one
  if (lane_number() == 0) {
    p.loss[i] =
        (p.alpha - 1) * hard.log_probability(label_logit) + p.alpha * p.temperature * p.temperature * divergence;
  }
  for (int j = 0; j < kHeld; ++j) {
    const int q = lane_number() + j * kWarp;
    if (q >= quads) continue;
    Quad out;
    for (int k = 0; k < 4; ++k) {
      const float to_label = hard.probability(z[j].v[k]) - (4 * q + k == label ? 1.0F : 0.0F);
      const float to_teacher = student.probability(z[j].v[k]) - teacher.probability(t[j].v[k]);
      out.v[k] = (1 - p.alpha) * to_label + p.alpha * p.temperature * to_teacher;
    }
    store_pack(p.dlogits + i * p.classes + 4 * q, out);
  }
}

}  // namespace

void kd_loss_v4(const Launch& at, const KdLoss& p) {
  const auto blocks = static_cast<unsigned>((p.rows + kRowsPerBlock - 1) / kRowsPerBlock);
  const bool one = p.classes <= 4 * kWarp;
  launch(at, "kd_loss_v4", one ? &kernel<1> : &kernel<4>, blocks, kRowsPerBlock * kWarp, 0, p);
}

}  // namespace retort::lab
