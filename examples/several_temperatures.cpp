// A distillation method of one's own (docs/new-method.md): the teacher is matched at several temperatures at once,
//
//     L(i) = CE(student, label) + sum over T in {2, 4, 8} of T^2 KL(teacher || student at T)
//
// after the prediction augmentation of multi-level logit distillation (Jin et al., CVPR 2023). The temperatures are our
// choice. Copied to distill/methods it is one of the program's methods.
#include "distill/methods/method.h"
#include "engine/ops.h"

namespace retort {
namespace {

/// Values of rows, without gradients.
Tensor sum(Tape& tape, const Tensor& a, const Tensor& b) {
  return add(tape, tape.variable(a, false), tape.variable(b, false))->value;
}

RowReport loss(const StudentStep& step) {
  RowReport rows = kd_loss(step, {0, 1});  // alpha = 0: cross-entropy alone
  for (const float temperature : {2.0F, 4.0F, 8.0F}) {
    const RowReport divergence = kd_loss(step, {1, temperature});  // alpha = 1: no label
    rows.loss = sum(step.tape, rows.loss, divergence.loss);
  }
  return rows;
}

}  // namespace

Method make_several_temperatures() {
  return {.name = "several-temperatures",
          .summary = "labels, and the teacher's outputs at three temperatures",
          .loss = loss};
}

}  // namespace retort
