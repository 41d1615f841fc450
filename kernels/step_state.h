// StepState: everything a training step reads or reports that is not a tensor. It lives in the memory of the device,
// so that a step captured once as a CUDA graph can be replayed with new values, and eager execution reads the same.
#pragma once

#include <cstdint>

namespace retort {

/// Why a step was not applied.
enum class StepVerdict : std::int32_t { applied = 0, loss_not_finite = 1, gradient_not_finite = 2 };

struct StepState {
  // Written by the host before an epoch.
  float weight_decay = 0;          ///< of this step (compact regulation scales it by the batches it stands for)
  float clip_norm = 0;             ///< gradient-norm bound; 0: no clipping
  float confidence_threshold = 0;  ///< tau of this epoch
  float random_share = 0;          ///< participation share of the random-mask control
  std::uint32_t seed = 0;
  std::uint32_t epoch = 0;

  // Written when a step begins (kernels/step_feed.h).
  float learning_rate = 0;
  float momentum = 0.9F;             ///< SGD's; a one-cycle schedule moves it
  float divisor = 1;                 ///< rows the summed loss is divided by (over all replicas)
  std::int32_t batches_waiting = 0;  ///< compact regulation's scoring: batches since its last training step
  std::int64_t batch = 0;            ///< batches of this epoch that have begun

  // Written by the step.
  double gradient_square_sum = 0;
  float gradient_norm = 0;
  float gradient_scale = 1;  ///< min(1, clip_norm / gradient_norm), applied by the optimizer
  std::int32_t verdict = 0;  ///< a StepVerdict

  std::int64_t step = 0;  ///< optimizer steps taken so far; AdamW's bias correction reads step + 1

  // Running totals since the host last cleared them; steps that were not applied add only to `skipped`.
  double error_sum = 0;  ///< sum over rows of what a regression's metric adds up
  double loss_sum = 0;  ///< sum over rows of the row loss (weighted, participants or not)
  std::int64_t rows = 0;
  std::int64_t correct = 0;
  std::int64_t participants = 0;
  std::int64_t mixtures = 0;  ///< rows that are no samples of the data set (no_label)
  std::int64_t steps_applied = 0;
  std::int64_t steps_without_participants = 0;
  std::int64_t skipped = 0;
  std::int64_t skipped_in_a_row = 0;  ///< not cleared at epoch ends
};

}  // namespace retort
