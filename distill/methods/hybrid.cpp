// Hybrid distillation (arXiv:2102.07125). docs/methods/hybrid.md
#include "distill/methods/method.h"

namespace retort {
namespace {

class Hybrid : public Method {
 public:
  std::string name() const override { return "hybrid"; }
  std::string summary() const override { return "significance and regulated at once"; }
  bool weighs_by_significance() const override { return true; }
  bool regulates() const override { return true; }
  RowReport loss(const StudentStep& step) const override { return kd_loss(step, step.weights); }
};

}  // namespace

std::unique_ptr<Method> make_hybrid() {
  return std::make_unique<Hybrid>();
}

}  // namespace retort
