// Significance-based distillation (arXiv:2102.07125). docs/methods/significance.md
#include "distill/methods/method.h"

namespace retort {
namespace {

class BySignificance : public Method {
 public:
  std::string name() const override { return "significance"; }
  std::string summary() const override {
    return "kd on the samples that mattered to the teacher, weighed by how often";
  }
  bool weighs_by_significance() const override { return true; }
  RowReport loss(const StudentStep& step) const override { return kd_loss(step, step.weights); }
};

}  // namespace

std::unique_ptr<Method> make_significance() {
  return std::make_unique<BySignificance>();
}

}  // namespace retort
