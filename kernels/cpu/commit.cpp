#include "kernels/commit.h"

#include <algorithm>

namespace retort::cpu {

void commit_step(const Launch&, const StepOutcome& outcome, StepState* state) {
  if (state->verdict != static_cast<std::int32_t>(StepVerdict::applied)) {
    state->skipped += 1;
    state->skipped_in_a_row += 1;
    return;
  }
  std::copy_n(outcome.pending_buffers, outcome.buffer_count, outcome.buffers);
  double loss_sum = 0;
  std::int64_t correct = 0, participants = 0;
  for (int i = 0; i < outcome.rows; ++i) {
    loss_sum += outcome.loss[i];
    correct += outcome.correct[i];
    participants += outcome.participates[i];
    if (outcome.significance != nullptr) outcome.significance[outcome.samples[i]] += outcome.participates[i];
    if (outcome.entered != nullptr && outcome.participates[i] != 0) outcome.entered[outcome.samples[i]] = 1;
  }
  state->loss_sum += loss_sum;
  state->rows += outcome.rows;
  state->correct += correct;
  state->participants += participants;
  state->steps_applied += 1;
  if (participants == 0) state->steps_without_participants += 1;
  state->skipped_in_a_row = 0;
  state->step += 1;
}

}  // namespace retort::cpu
