// Learning-rate schedules as functions of progress, so that a resume needs no state. Progress counts samples scored
// (for conventional training: trained), which keeps a schedule meaningful when regulation takes fewer steps.
#pragma once

#include <string>
#include <vector>

namespace retort {

struct Schedule {
  enum class Kind { constant, multi_step, cosine, one_cycle };
  Kind kind = Kind::constant;
  double peak = 0.1;                ///< base learning rate; one_cycle: its maximum
  double warmup = 0;                ///< share of training with a linear rise from 0, before the other kinds
  std::vector<double> milestones;   ///< multi_step: epochs after which the rate is multiplied by gamma
  double gamma = 0.1;
  double rise = 0.3;                ///< one_cycle: share of training until the peak
  double initial_divisor = 25;      ///< one_cycle: begins at peak / this
  double final_divisor = 1e4;       ///< one_cycle: ends at peak / (initial_divisor * this)
  double momentum = 0.9;            ///< SGD's
  double cycle_momentum = 0;        ///< one_cycle: momentum moves between momentum + this and, at the peak, momentum - this

  /// Learning rate after `epoch` epochs (fractions count) of `epochs`. one_cycle is torch.optim.lr_scheduler.OneCycleLR
  /// with cosine annealing; cosine ends at 0.
  double rate(double epoch, double epochs) const;
  /// SGD's momentum; OneCycleLR's cycle_momentum is 0.9 here with a cycle of 0.05.
  double momentum_at(double epoch, double epochs) const;
};

/// "constant", "multi-step", "cosine", "one-cycle". Throws Error(usage).
Schedule::Kind schedule_kind(const std::string& name);
const char* schedule_name(Schedule::Kind kind);

}  // namespace retort
