// Distillation methods: how a student learns from a frozen teacher. Each is one file of this folder, NAME.cpp, that
// defines `std::unique_ptr<Method> retort::make_NAME()`; CMake makes the list of them. docs/new-method.md adds one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/device_dataset.h"
#include "engine/losses.h"

namespace retort {

/// What the loss of a step is made of. Everything is on the device.
struct StudentStep {
  Tape& tape;
  const Var& student;     ///< logits (N, classes) f32
  const Tensor& teacher;  ///< logits (N, classes) f32 for the same images
  const Batch& batch;     ///< labels, samples, and weights where the method weighs
  const StepState* state;
  const LossOptions& options;   ///< whose gradient counts
  DistillationWeights weights;  ///< --alpha and --temperature
};

class Method {
 public:
  virtual ~Method() = default;
  virtual std::string name() const = 0;     ///< the value of --method
  virtual std::string summary() const = 0;  ///< one line, for `retort info --methods`
  /// Whether training samples are weighed, and those of weight 0 left out, by how often they entered the teacher's
  /// backward pass.
  virtual bool weighs_by_significance() const { return false; }
  /// Whether the student regulates itself: the default of --regulation is then mask, and off is refused.
  virtual bool regulates() const { return false; }
  /// The loss of each row; delivers its gradient to step.student when the tape records.
  virtual RowReport loss(const StudentStep& step) const = 0;
};

/// w(i) [ (1 - alpha) CE(student, label) + alpha T^2 KL(teacher || student at T) ], Hinton et al. (arXiv:1503.02531).
RowReport kd_loss(const StudentStep& step, DistillationWeights weights);

/// In the order of their names.
const std::vector<std::unique_ptr<Method>>& methods();
/// Throws Error(usage) that lists the names.
const Method& find_method(const std::string& name);
/// For a program that has one of its own. Throws Error(usage) where the name is taken. Not while something trains.
void add_method(std::unique_ptr<Method> method);

}  // namespace retort
