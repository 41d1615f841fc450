// A warp a row: student and teacher logits are read once, and loss, its parts, mask and gradient come out.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/row_softmax.h"
#include "kernels/distillation_loss.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

struct Arguments {
  RegulationRule rule;
  DistillationWeights distillation;
  int rows, classes;
  const float* student;
  const float* teacher;
  const std::int32_t* labels;
  const std::int32_t* samples;
  const float* weights;
  const StepState* state;
  LossRows out;
  float* cross_entropy;
  float* divergence;
  float* dlogits;
};

template <int kHeld>
__global__ void distillation_kernel(Arguments a) {
  const int i = static_cast<int>(blockIdx.x) * kRowsPerBlock + warp_number();
  if (i >= a.rows) return;
  const std::int64_t first = std::int64_t{i} * a.classes;
  const float temperature = a.distillation.temperature;
  const float alpha = a.distillation.alpha;
  const RowLogits<kHeld> student(a.student + first, a.classes);
  const RowLogits<kHeld> teacher(a.teacher + first, a.classes);
  const Top top = top_of(student);
  const RowSoftmax<kHeld> softmax(student, top);
  const RowSoftmax<kHeld> soft_student(student, top, temperature);
  const Top teacher_top = top_of(teacher);
  const RowSoftmax<kHeld> soft_teacher(teacher, teacher_top, temperature);

  float divergence = 0;
  student.each_with(teacher, [&](int, float z, float t) {
    const float p = soft_teacher.probability(t);
    divergence += times_log(p, soft_teacher.log_probability(t) - soft_student.log_probability(z));
  });
  divergence = warp_sum(divergence);
  const std::int32_t label = a.labels[i];
  const bool labelled = label != no_label;
  const float cross_entropy = labelled ? -softmax.log_probability(student[label]) : 0.0F;
  const float weight = a.weights != nullptr ? a.weights[i] : 1.0F;
  if (lane_number() == 0) {
    a.out.loss[i] = weight * ((1.0F - alpha) * cross_entropy + alpha * temperature * temperature * divergence);
    if (a.cross_entropy != nullptr) a.cross_entropy[i] = cross_entropy;
    if (a.divergence != nullptr) a.divergence[i] = divergence;
  }
  const bool participates = judge_row(student, top, softmax, a.rule, i, label, labelled ? label : teacher_top.index,
                                      a.samples[i], *a.state, a.out);
  if (a.dlogits == nullptr) return;
  const float scale = weight / a.state->divisor;
  student.each_with(teacher, [&](int c, float z, float t) {
    const float hard = labelled ? softmax.probability(z) - (c == label ? 1.0F : 0.0F) : 0.0F;
    const float soft = soft_student.probability(z) - soft_teacher.probability(t);
    a.dlogits[first + c] = participates ? scale * ((1.0F - alpha) * hard + alpha * temperature * soft) : 0.0F;
  });
}

}  // namespace

void distillation_loss(const Launch& at, const RegulationRule& rule, const DistillationWeights& distillation, int rows,
                       int classes, const float* student_logits, const float* teacher_logits,
                       const std::int32_t* labels, const std::int32_t* samples, const float* weights,
                       const StepState* state, const LossRows& out, float* cross_entropy, float* divergence,
                       float* dlogits) {
  if (rows == 0) return;
  const Arguments arguments{rule,    distillation, rows,  classes, student_logits, teacher_logits, labels,
                            samples, weights,      state, out,     cross_entropy,  divergence,     dlogits};
  with_held(classes, [&](auto held) {
    launch(at, "distillation_loss", &distillation_kernel<held()>, (rows + kRowsPerBlock - 1) / kRowsPerBlock,
           kRowsPerBlock * kWarp, 0, arguments);
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
