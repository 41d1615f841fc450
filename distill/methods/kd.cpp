// Knowledge distillation (Hinton et al., arXiv:1503.02531), what the others are compared with. docs/methods/kd.md
#include "distill/methods/method.h"

namespace retort {

Method make_kd() {
  return {.name = "kd", .summary = "every sample, labels and the teacher's softened outputs"};
}

}  // namespace retort
