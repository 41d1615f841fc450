// Teaching what you should teach (arXiv:2212.05422). docs/methods/tst.md
#include "distill/methods/method.h"

namespace retort {

Method make_tst() {
  return {
      .name = "tst", .summary = "kd on samples and on what a learned augmentation makes of them", .transforms = true};
}

}  // namespace retort
