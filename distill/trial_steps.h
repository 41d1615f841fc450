// A few steps as `teach` or `distill` would take them, from initial parameters: for those who measure time, not
// accuracy.
#pragma once

#include <memory>

#include "distill/options.h"
#include "distill/run_plans.h"
#include "distill/run_setup.h"
#include "distill/step.h"
#include "distill/trainer.h"

namespace retort {

class TrialSteps {
 public:
  /// Options resolved; a teacher comes from options.teacher_net, with initial parameters. No more than `steps` steps.
  TrialSteps(const RunOptions& options, const Dataset& data, int steps, bool record, const LineSink& say);

  void one_step();
  /// Until the device has done all that was launched.
  void wait();

  Context& context() { return context_; }
  int batch() const { return plan_.batch; }
  /// Multiply-accumulates of one image's forward pass through the network in training, and through the teacher.
  double forward_macs() const { return forward_macs_; }
  double teacher_forward_macs() const { return teacher_forward_macs_; }

 private:
  double macs_of(Network& network);

  const RunOptions& options_;
  Context context_;
  std::unique_ptr<Task> task_;
  DeviceDataset train_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Teacher> teacher_;
  StepPlan plan_;
  std::unique_ptr<StepRunner> runner_;
  DeviceStep step_, training_;
  std::unique_ptr<RunPlans> plans_;
  double forward_macs_ = 0, teacher_forward_macs_ = 0;
};

}  // namespace retort
