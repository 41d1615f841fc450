// Regulated distillation (arXiv:2102.07125). docs/methods/regulated.md
#include "distill/methods/method.h"

namespace retort {
namespace {

class Regulated : public Method {
 public:
  std::string name() const override { return "regulated"; }
  std::string summary() const override {
    return "kd on the samples that the student itself gets wrong or is not sure of";
  }
  bool regulates() const override { return true; }
  RowReport loss(const StudentStep& step) const override { return kd_loss(step, step.weights); }
};

}  // namespace

std::unique_ptr<Method> make_regulated() {
  return std::make_unique<Regulated>();
}

}  // namespace retort
