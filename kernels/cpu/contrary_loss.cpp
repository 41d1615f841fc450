#include "kernels/contrary_loss.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/row_softmax.h"

namespace retort::cpu {

void contrary_loss(const Launch&, int rows, int classes, const float* logits, const std::int32_t* labels, float divisor,
                   float* loss, float* dlogits) {
  for_ranges(rows, grain_of(classes, 512), [&](auto begin, auto end) {
    for (int i = static_cast<int>(begin); i < end; ++i) {
      const std::int64_t at = static_cast<std::int64_t>(i) * classes;
      if (labels[i] == no_label) {
        loss[i] = 0;
        if (dlogits != nullptr) std::fill_n(dlogits + at, classes, 0.0F);
        continue;
      }
      const RowSoftmax row(logits + at, classes);
      // The others' probabilities add up to what is missing, without the cancellation of 1 - p.
      double others = 0;
      for (int c = 0; c < classes; ++c) others += c == labels[i] ? 0.0 : row.probability(c);
      const double doubt = others + 1e-8;
      loss[i] = static_cast<float>(-std::log(doubt));
      if (dlogits == nullptr) continue;
      const double scale = row.probability(labels[i]) / (doubt * divisor);
      for (int c = 0; c < classes; ++c) {
        dlogits[at + c] = static_cast<float>(scale * (c == labels[i] ? others : -row.probability(c)));
      }
    }
  });
}

}  // namespace retort::cpu
