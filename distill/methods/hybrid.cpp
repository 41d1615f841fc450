// Hybrid distillation (arXiv:2102.07125). docs/methods/hybrid.md
#include "distill/methods/method.h"

namespace retort {

Method make_hybrid() {
  return {.name = "hybrid",
          .summary = "significance and regulated at once",
          .weighs_by_significance = true,
          .regulates = true};
}

}  // namespace retort
