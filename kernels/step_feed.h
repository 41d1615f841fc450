// What a step begins with: its rows of the epoch's order and its rates, taken from tables that the host has sent once
// an epoch. So a step needs nothing from the host, and a recorded one can be replayed.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

/// Of one batch of an epoch.
struct StepRates {
  float learning_rate = 0, momentum = 0;
};

struct StepFeed {
  const std::int32_t* order = nullptr;  // (rows of the epoch) numbers into the data set
  const StepRates* rates = nullptr;     // (batches of the epoch), or null: state's are left alone
  int batch = 0;                        ///< rows of every batch but the last
};

/// What both backends do at the beginning of a queued step.
RETORT_HOST_DEVICE inline void hand_over(int rows, StepState& scoring, StepState& training) {
  training.weight_decay = scoring.weight_decay * static_cast<float>(scoring.batches_waiting);
  training.learning_rate = scoring.learning_rate;
  training.momentum = scoring.momentum;
  training.divisor = static_cast<float>(rows);
  training.batch = scoring.batch;
  scoring.batches_waiting = 0;
}

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// The `rows` samples of batch number state.batch, its rates, and the divisor `rows`; then state.batch is one more.
  /// The feed has to hold that batch.
  void begin_step(const Launch& launch, const StepFeed& feed, int rows, std::int32_t* samples, StepState* state);

  /// The step that compact regulation takes on queued samples, after scoring: what it is to use, from `scoring`. It
  /// stands for all batches scored since the last one and decays the weights as those would have.
  void begin_queued_step(const Launch& launch, int rows, StepState* scoring, StepState* training);
)
// clang-format on
