// How long runs will take here: the networks' steps are timed, not guessed.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "data/dataset.h"
#include "distill/options.h"
#include "distill/reproduce/jobs.h"

namespace retort {

class TrialSteps;

struct Estimate {
  double seconds = 0, flops = 0;  ///< flops: 2 x multiply-accumulates
  Estimate& operator+=(const Estimate& other) {
    seconds += other.seconds;
    flops += other.flops;
    return *this;
  }
};

/// Of the runs on one data set and device. Each network is timed once, for a fraction of a second, when it is first
/// needed.
class Estimator {
 public:
  /// `data` as of --data; a set whose size is known need not be there. Throws what loading throws for others.
  Estimator(const std::string& data, const std::string& device, const std::string& precision, int threads);

  /// A run with resolved options, taught by `teacher_net` (empty: by labels). An upper bound: whoever leaves samples
  /// out takes less.
  Estimate of(const RunOptions& options, const std::string& teacher_net);

 private:
  struct Step {
    double seconds = 0;  ///< of one image's training step
    double macs = 0;     ///< of one image's forward pass
  };
  std::unique_ptr<TrialSteps> make_trial(const RunOptions& options) const;
  const Step& step_of(const std::string& net, const RunOptions& options);

  Dataset facts_;  ///< everything but pixels
  int train_ = 0, test_ = 0;
  bool augments_ = false;
  std::string device_, precision_;
  int threads_;
  std::map<std::string, Step> steps_;
};

/// Of one run of a recipe.
Estimate estimate_of(const Recipe& recipe, const Job& job, const ReproduceOptions& options, Estimator& estimator);

/// "1.2 PFLOP, here 4 hours (measured)".
std::string in_words(const Estimate& estimate);

}  // namespace retort
