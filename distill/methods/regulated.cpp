// Regulated distillation (arXiv:2102.07125). docs/methods/regulated.md
#include "distill/methods/method.h"

namespace retort {

Method make_regulated() {
  return {.name = "regulated",
          .summary = "kd on the samples that the student itself gets wrong or is not sure of",
          .regulates = true};
}

}  // namespace retort
