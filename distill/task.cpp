#include "distill/task.h"

#include <cmath>

namespace retort {
namespace {

class Classification : public Task {
 public:
  explicit Classification(int classes) : classes_(classes) {}
  const char* metric() const override { return "accuracy"; }
  bool higher_is_better() const override { return true; }
  int outputs() const override { return classes_; }
  RowReport loss(Tape& tape, const Var& output, const Batch& batch, const StepState* state,
                 const LossOptions& options) const override {
    return regulated_cross_entropy(tape, output, batch.labels, batch.samples, state, options);
  }
  double value(double, std::int64_t correct, std::int64_t rows) const override {
    return rows > 0 ? static_cast<double>(correct) / static_cast<double>(rows) : 0;
  }

 private:
  int classes_;
};

class Regression : public Task {
 public:
  explicit Regression(int width) : width_(width) {}
  const char* metric() const override { return "error"; }
  bool higher_is_better() const override { return false; }
  int outputs() const override { return width_; }
  RowReport loss(Tape& tape, const Var& output, const Batch& batch, const StepState* state,
                 const LossOptions& options) const override {
    return regulated_squared_error(tape, output, batch.targets, batch.samples, state, options);
  }
  double value(double loss_sum, std::int64_t, std::int64_t rows) const override {
    return rows > 0 ? std::sqrt(loss_sum / static_cast<double>(rows)) : 0;
  }

 private:
  int width_;
};

}  // namespace

std::unique_ptr<Task> make_task(const Dataset& dataset) {
  if (dataset.classes > 0) return std::make_unique<Classification>(dataset.classes);
  return std::make_unique<Regression>(dataset.train.target_width);
}

}  // namespace retort
