// Knowledge distillation (Hinton et al., arXiv:1503.02531), what the others are compared with. docs/methods/kd.md
#include "distill/methods/method.h"

namespace retort {
namespace {

class Kd : public Method {
 public:
  std::string name() const override { return "kd"; }
  std::string summary() const override { return "every sample, labels and the teacher's softened outputs"; }
  RowReport loss(const StudentStep& step) const override { return kd_loss(step, step.weights); }
};

}  // namespace

std::unique_ptr<Method> make_kd() {
  return std::make_unique<Kd>();
}

}  // namespace retort
