#include "distill/methods/method.h"

#include <algorithm>

#include "distill/methods/built_in.h"
#include "kernels/error.h"

namespace retort {
namespace {

std::vector<Method>& known() {
  static std::vector<Method> list = built_in_methods();
  return list;
}

}  // namespace

RowReport kd_loss(const StudentStep& step, DistillationWeights weights) {
  return step.task.match(step.tape, step.student, step.teacher, step.input, weights);
}

const std::vector<Method>& methods() {
  return known();
}

const Method& find_method(const std::string& name) {
  std::string names;
  for (const Method& method : known()) {
    if (method.name == name) return method;
    names += (names.empty() ? "" : ", ") + method.name;
  }
  fail(ErrorKind::usage, text("--method ", printable(name), ": must be one of ", names));
}

void add_method(Method method) {
  for (const Method& other : known()) {
    RETORT_CHECK(other.name != method.name, "there is a method '", method.name, "' already");
  }
  known().push_back(std::move(method));
  std::sort(known().begin(), known().end(), [](const Method& a, const Method& b) { return a.name < b.name; });
}

}  // namespace retort
