#include "kernels/distillation_loss.h"

#include <algorithm>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/row_softmax.h"

namespace retort::cpu {
namespace {

double kl_divergence(const RowSoftmax& p, const RowSoftmax& q) {
  double sum = 0;
  for (int c = 0; c < p.classes(); ++c) {
    sum += times_log(p.probability(c), p.log_probability(c) - q.log_probability(c));
  }
  return sum < 0 ? 0.0 : sum;  // equal distributions, off by a rounding; NaN stays
}

}  // namespace

void distillation_loss(const Launch&, const RegulationRule& rule, const DistillationWeights& distillation, int rows,
                       int classes, const float* student_logits, const float* teacher_logits,
                       const std::int32_t* labels, const std::int32_t* samples, const float* weights,
                       const StepState* state, const LossRows& out, float* cross_entropy, float* divergence,
                       float* dlogits) {
  const double alpha = distillation.alpha;
  const double temperature = distillation.temperature;
  for_ranges(rows, grain_of(classes, 512), [&](auto begin, auto end) {
    for (int i = static_cast<int>(begin); i < end; ++i) {
      const std::int64_t at = static_cast<std::int64_t>(i) * classes;
      const RowSoftmax hard(student_logits + at, classes);
      const RowSoftmax student(student_logits + at, classes, temperature);
      const RowSoftmax teacher(teacher_logits + at, classes, temperature);
      const double weight = weights != nullptr ? weights[i] : 1.0;

      const bool labelled = labels[i] != no_label;
      const double ce = labelled ? -hard.log_probability(labels[i]) : 0.0;
      const double kl = kl_divergence(teacher, student);
      out.loss[i] = static_cast<float>(weight * ((1.0 - alpha) * ce + alpha * temperature * temperature * kl));
      if (cross_entropy != nullptr) cross_entropy[i] = static_cast<float>(ce);
      if (divergence != nullptr) divergence[i] = static_cast<float>(kl);
      const std::int32_t target = labelled ? labels[i] : teacher.top();
      const bool participates = judge_row(hard, rule, i, labels[i], target, samples[i], *state, out);
      if (dlogits == nullptr) continue;

      float* dz = dlogits + at;
      if (!participates) {
        std::fill_n(dz, classes, 0.0F);
        continue;
      }
      const double scale = weight / state->divisor;
      for (int c = 0; c < classes; ++c) {
        const double to_label = labelled ? hard.probability(c) - (c == labels[i] ? 1.0 : 0.0) : 0.0;
        const double to_teacher = student.probability(c) - teacher.probability(c);
        dz[c] = static_cast<float>(scale * ((1.0 - alpha) * to_label + alpha * temperature * to_teacher));
      }
    }
  });
}

}  // namespace retort::cpu
