// The two steps that are timed, each as something that can be run again and again.
#pragma once

#include <memory>
#include <string>

#include "engine/context.h"
#include "nets/network.h"

namespace retort::bench {

struct StepArguments {
  std::string net = "resnet20", teacher, device = "cpu", precision = "fp32", graph = "auto", teacher_beside = "on", fold_teacher = "on", plans = "tuned";
  int batch = 128, threads = 0;

  bool lenet() const { return net.starts_with("lenet"); }
  ImageFormat input() const { return lenet() ? ImageFormat{28, 28, 1} : ImageFormat{32, 32, 3}; }
  int classes() const { return lenet() ? 10 : 100; }
};

class BenchStep {
 public:
  virtual ~BenchStep() = default;
  virtual void run() = 0;
  /// Whether the last step updated the parameters: the time of one that did not means nothing.
  virtual bool applied() = 0;
  /// Launches of its recording; 0 where it is not recorded.
  virtual std::size_t recorded_launches() const = 0;
  virtual const Network& student() const = 0;
  virtual const Network* teacher() const { return nullptr; }
};

/// Forward, distillation loss, backward, update, from one batch and its teacher logits that lie on the device.
std::unique_ptr<BenchStep> make_given_logits_step(Context& context, const StepArguments& arguments);

/// The step as training has it: batch made from a data set on the device (crop and flip), teacher forward in evaluation
/// mode, student forward, loss, backward, update, commit.
std::unique_ptr<BenchStep> make_distillation_step(Context& context, const StepArguments& arguments);

}  // namespace retort::bench
