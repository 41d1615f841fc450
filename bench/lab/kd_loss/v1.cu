// A thread a row: the definition, written down. Neighbouring threads read addresses that lie a row apart, so that each
// brings its own sector of 32 bytes for 4 that are wanted; and each logit is read again for every sum.
#include "bench/lab/kd_loss/kd_loss.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using namespace retort::RETORT_CUDA_NAMESPACE;

constexpr int kThreads = 128;

struct Softmax {
  float top, sum, log_sum, inverse;
  __device__ float log_probability(float z) const { return (z - top) * inverse - log_sum; }
  __device__ float probability(float z) const { return expf((z - top) * inverse) / sum; }
};

__device__ Softmax softmax_of(const float* row, int classes, float temperature) {
  Softmax s{-INFINITY, 0, 0, 1 / temperature};
  for (int c = 0; c < classes; ++c) s.top = row[c] > s.top ? row[c] : s.top;
  for (int c = 0; c < classes; ++c) s.sum += expf((row[c] - s.top) * s.inverse);
  s.log_sum = logf(s.sum);
  return s;
}

__global__ void kernel(KdLoss p) {
  const std::int64_t i = grid_thread();
  if (i >= p.rows) return;
  const float* z = p.student + i * p.classes;
  const float* t = p.teacher + i * p.classes;
  const Softmax hard = softmax_of(z, p.classes, 1);
  const Softmax student = softmax_of(z, p.classes, p.temperature);
  const Softmax teacher = softmax_of(t, p.classes, p.temperature);
  float divergence = 0;
  for (int c = 0; c < p.classes; ++c) {
    divergence += teacher.probability(t[c]) * (teacher.log_probability(t[c]) - student.log_probability(z[c]));
  }
  const int label = p.labels[i];
  p.loss[i] = (p.alpha - 1) * hard.log_probability(z[label]) + p.alpha * p.temperature * p.temperature * divergence;
  for (int c = 0; c < p.classes; ++c) {
    const float to_label = hard.probability(z[c]) - (c == label ? 1.0F : 0.0F);
    const float to_teacher = student.probability(z[c]) - teacher.probability(t[c]);
    p.dlogits[i * p.classes + c] = (1 - p.alpha) * to_label + p.alpha * p.temperature * to_teacher;
  }
}

}  // namespace

void kd_loss_v1(const Launch& at, const KdLoss& p) {
  launch(at, "kd_loss_v1", &kernel, static_cast<unsigned>((p.rows + kThreads - 1) / kThreads), kThreads, 0, p);
}

}  // namespace retort::lab
