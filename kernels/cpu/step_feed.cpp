#include "kernels/step_feed.h"

#include <algorithm>

namespace retort::cpu {

void begin_step(const Launch&, const StepFeed& feed, int rows, std::int32_t* samples, StepState* state) {
  std::copy_n(feed.order + state->batch * feed.batch, rows, samples);
  if (feed.rates != nullptr) {
    state->learning_rate = feed.rates[state->batch].learning_rate;
    state->momentum = feed.rates[state->batch].momentum;
  }
  state->divisor = static_cast<float>(rows);
  state->batches_waiting += 1;
  state->batch += 1;
}

void begin_queued_step(const Launch&, int rows, StepState* scoring, StepState* training) {
  hand_over(rows, *scoring, *training);
}

}  // namespace retort::cpu
