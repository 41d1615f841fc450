#include "distill/task.h"

#include <cmath>
#include <cstdio>

namespace retort {
namespace {

class Classification : public Task {
 public:
  explicit Classification(int classes) : classes_(classes) {}
  const char* metric() const override { return "accuracy"; }
  bool higher_is_better() const override { return true; }
  int outputs() const override { return classes_; }
  RowReport loss(Tape& tape, const Var& output, const LossInput& in) const override {
    return regulated_cross_entropy(tape, output, in.batch.labels, in.batch.samples, in.state, in.options);
  }
  RowReport match(Tape& tape, const Var& output, const Tensor& teacher, const LossInput& in,
                  DistillationWeights weights) const override {
    return distillation_loss(tape, output, teacher, in.batch.labels, in.batch.samples, in.batch.weights, in.state,
                             in.options, weights)
        .rows;
  }
  double value(const StepState& totals) const override {
    return totals.rows > 0 ? static_cast<double>(totals.correct) / static_cast<double>(totals.rows) : 0;
  }

 private:
  int classes_;
};

class Regression : public Task {
 public:
  Regression(int width, bool angles) : width_(width), angles_(angles) {}
  const char* metric() const override { return angles_ ? "angle" : "error"; }
  bool higher_is_better() const override { return false; }
  int outputs() const override { return 2 * width_; }
  RowReport loss(Tape& tape, const Var& output, const LossInput& in) const override {
    return report(tape, output, {}, in, 0);
  }
  /// The temperature of classification has no counterpart here.
  RowReport match(Tape& tape, const Var& output, const Tensor& teacher, const LossInput& in,
                  DistillationWeights weights) const override {
    return report(tape, output, teacher, in, weights.alpha);
  }
  /// Of mixtures, the distance from the teacher.
  double value(const StepState& totals) const override {
    if (totals.rows <= 0) return 0;
    const double mean = totals.error_sum / static_cast<double>(totals.rows);
    return angles_ ? mean : std::sqrt(mean);
  }

 private:
  RowReport report(Tape& tape, const Var& output, const Tensor& teacher, const LossInput& in, float alpha) const {
    GaussianReport found = gaussian_loss(tape, output, teacher, in.batch.targets, in.batch.labels, in.batch.samples,
                                         in.batch.weights, in.state, in.options, alpha);
    found.rows.error = angles_ ? angular_error(tape, output, teacher, in.batch.targets, in.batch.labels) : found.square_error;
    return found.rows;
  }

  int width_;
  bool angles_;
};

}  // namespace

std::unique_ptr<Task> make_task(const Dataset& dataset) {
  if (dataset.classes > 0) return std::make_unique<Classification>(dataset.classes);
  return std::make_unique<Regression>(dataset.train.target_width, dataset.targets_are_angles);
}

std::string metric_text(const std::string& metric, double value) {
  char text[48];
  if (metric == "accuracy") {
    std::snprintf(text, sizeof text, "%.2f %%", 100 * value);
  } else if (metric == "angle") {
    std::snprintf(text, sizeof text, "%.2f degrees", value);
  } else {
    std::snprintf(text, sizeof text, "%.6g", value);
  }
  return text;
}

}  // namespace retort
