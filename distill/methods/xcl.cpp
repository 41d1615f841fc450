// Extracurricular learning, classification (arXiv:2007.00051). docs/methods/xcl.md
#include "distill/methods/method.h"

namespace retort {

Method make_xcl() {
  return {.name = "xcl", .summary = "kd on mixtures of samples, which the teacher labels", .extends = true};
}

}  // namespace retort
