// Distillation methods: how a student learns from a frozen teacher. Each is one file of this folder, NAME.cpp, that
// defines `Method retort::make_NAME()`; CMake makes the list of them. docs/new-method.md adds one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "distill/task.h"

namespace retort {

/// What the loss of a step is made of. Everything is on the device.
struct StudentStep {
  Tape& tape;
  const Task& task;
  const Var& student;           ///< outputs (N, task.outputs()) f32: logits, or Gaussians
  const Tensor& teacher;        ///< the teacher's, for the same images
  LossInput input;              ///< the batch, with weights where the method weighs; whose gradient counts
  DistillationWeights weights;  ///< --alpha and --temperature
};

/// w(i) [ (1 - alpha) CE(student, label) + alpha T^2 KL(teacher || student at T) ], Hinton et al. (arXiv:1503.02531), with
/// the alpha and T that are given; of a regression, w(i) [ (1 - alpha) NLL(student, target) + alpha KL(teacher || student) ].
RowReport kd_loss(const StudentStep& step, DistillationWeights weights);
/// With those of the run.
inline RowReport kd_loss(const StudentStep& step) {
  return kd_loss(step, step.weights);
}

struct Method {
  std::string name;     ///< the value of --method
  std::string summary;  ///< one line, for `retort info --methods`
  /// Training samples are weighed, and those of weight 0 left out, by how often they entered the teacher's backward pass.
  bool weighs_by_significance = false;
  /// The student regulates itself: the default of --regulation is then mask, and off is refused.
  bool regulates = false;
  /// It learns from mixtures of samples, which the teacher labels: the default of --mix is then either, and none is refused.
  bool extends = false;
  /// It learns from what a learned augmentation makes of samples, beside the samples (distill/tst).
  bool transforms = false;
  /// The loss of each row; delivers its gradient to step.student when the tape records.
  std::function<RowReport(const StudentStep&)> loss = [](const StudentStep& step) { return kd_loss(step); };
};

/// In the order of their names.
const std::vector<Method>& methods();
/// Throws Error(usage) that lists the names.
const Method& find_method(const std::string& name);
/// For a program that has one of its own. Throws Error(usage) where the name is taken. Not while something trains.
void add_method(Method method);

}  // namespace retort
