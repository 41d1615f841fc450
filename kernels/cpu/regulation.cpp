#include "kernels/regulation.h"

#include <algorithm>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/row_softmax.h"

namespace retort::cpu {

void regulated_cross_entropy(const Launch&, const RegulationRule& rule, int rows, int classes, float label_smoothing,
                             const float* logits, const std::int32_t* labels, const std::int32_t* samples,
                             const StepState* state, const LossRows& out, float* dlogits) {
  const double smoothing = label_smoothing;
  for_ranges(rows, grain_of(classes, 512), [&](auto begin, auto end) {
    for (int i = static_cast<int>(begin); i < end; ++i) {
      const float* z = logits + static_cast<std::int64_t>(i) * classes;
      const RowSoftmax row(z, classes);
      const bool labelled = labels[i] != no_label;
      double loss = labelled ? -(1.0 - smoothing) * row.log_probability(labels[i]) : 0.0;
      if (labelled && smoothing > 0) {
        double sum = 0;
        for (int c = 0; c < classes; ++c) sum += row.log_probability(c);
        loss -= smoothing * sum / classes;
      }
      out.loss[i] = static_cast<float>(loss);
      const bool participates = judge_row(row, rule, i, labels[i], labels[i], samples[i], *state, out);
      if (dlogits == nullptr) continue;

      float* dz = dlogits + static_cast<std::int64_t>(i) * classes;
      if (!participates || !labelled) {
        std::fill_n(dz, classes, 0.0F);
        continue;
      }
      for (int c = 0; c < classes; ++c) {
        const double target = smoothing / classes + (c == labels[i] ? 1.0 - smoothing : 0.0);
        dz[c] = static_cast<float>((row.probability(c) - target) / state->divisor);
      }
    }
  });
}

void divide_by_participants(const Launch&, int rows, int classes, const std::int32_t* participates,
                            const StepState* state, float* dlogits) {
  std::int64_t participants = 0;
  for (int i = 0; i < rows; ++i) participants += participates[i];
  const float factor = state->divisor / static_cast<float>(std::max<std::int64_t>(1, participants));
  for_ranges(static_cast<std::int64_t>(rows) * classes, 32768, [=](auto begin, auto end) {
#pragma omp simd
    for (auto i = begin; i < end; ++i) dlogits[i] *= factor;
  });
}

}  // namespace retort::cpu
