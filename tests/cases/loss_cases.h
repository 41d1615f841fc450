// THE loss rows: sizes, rules and options.
#pragma once

#include <string>
#include <vector>

#include "kernels/distillation_loss.h"
#include "kernels/regulation.h"

namespace retort::cases {

struct LossCase {
  std::string id;
  int rows = 0, classes = 0;
  RegulationRule rule;
  float threshold = 0.5F;  ///< tau
  float random_share = 0.3F;
  float divisor = 1;
  float smoothing = 0;  ///< cross-entropy
  DistillationWeights distillation;
  bool weights = false;       ///< distillation
  bool scoring_only = false;  ///< no gradient wanted
  float logit_scale = 2;      ///< standard deviation of the logits
};

inline std::string name_of(const LossCase& c) {
  const char* rules[] = {"all", "regulated", "random"};
  const char* measures[] = {"max", "margin", "entropy"};
  return std::to_string(c.rows) + " rows of " + std::to_string(c.classes) + " " +
         rules[static_cast<int>(c.rule.participation)] + " " + measures[static_cast<int>(c.rule.confidence)] + " tau " +
         std::to_string(c.threshold).substr(0, 4) + " smoothing " + std::to_string(c.smoothing).substr(0, 4) +
         " alpha " + std::to_string(c.distillation.alpha).substr(0, 4) + " T " +
         std::to_string(c.distillation.temperature).substr(0, 4) + (c.weights ? " weights" : "") +
         (c.scoring_only ? " scoring" : "");
}

inline std::vector<LossCase> loss_cases() {
  std::vector<LossCase> cases;
  int turn = 0;
  const float taus[] = {0.0F, 0.3F, 0.5F, 0.9F, 2.0F};
  const float smoothings[] = {0.0F, 0.1F, 0.5F};
  const float alphas[] = {0.9F, 0.0F, 1.0F, 0.5F};
  const float temperatures[] = {4.0F, 1.0F, 20.0F};
  for (const int classes : {2, 3, 10, 19, 100, 1000})
    for (const Participation participation : {Participation::all, Participation::regulated, Participation::random})
      for (const Confidence measure : {Confidence::max_probability, Confidence::margin, Confidence::entropy})
        for (const int rows : {1, 7, 64}) {
          LossCase c;
          c.rows = rows;
          c.classes = classes;
          c.rule = {participation, measure};
          c.threshold = taus[turn % 5];
          c.smoothing = smoothings[turn % 3];
          c.divisor = turn % 2 == 0 ? static_cast<float>(rows) : 3.5F;
          c.distillation = {alphas[turn % 4], temperatures[turn / 2 % 3]};
          c.weights = turn % 5 < 2;
          c.scoring_only = turn % 7 == 6;
          c.logit_scale = turn % 6 == 5 ? 30.0F : 2.0F;
          c.id = name_of(c);
          cases.push_back(c);
          ++turn;
        }
  return cases;
}

}  // namespace retort::cases
