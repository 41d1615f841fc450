// Significance-based distillation (arXiv:2102.07125). docs/methods/significance.md
#include "distill/methods/method.h"

namespace retort {

Method make_significance() {
  return {.name = "significance",
          .summary = "kd on the samples that mattered to the teacher, weighed by how often",
          .weighs_by_significance = true};
}

}  // namespace retort
