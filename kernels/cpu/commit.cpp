#include "kernels/commit.h"

#include <algorithm>
#include <cmath>

namespace retort::cpu {
namespace {

std::int64_t first_not_finite(const float* values, std::int64_t n) {
  const float* found = std::find_if(values, values + n, [](float value) { return !std::isfinite(value); });
  return found == values + n ? -1 : found - values;
}

}  // namespace

void commit_step(const Launch&, const StepOutcome& outcome, StepState* state) {
  if (state->verdict != static_cast<std::int32_t>(StepVerdict::applied)) {
    count_skipped(*state, first_not_finite(outcome.gradient, outcome.gradient_count), outcome.log);
    return;
  }
  std::copy_n(outcome.pending_buffers, outcome.buffer_count, outcome.buffers);
  double loss_sum = 0, error_sum = 0;
  std::int64_t correct = 0, participants = 0, mixtures = 0;
  for (int i = 0; i < outcome.rows; ++i) {
    if (outcome.loss != nullptr) loss_sum += outcome.loss[i];
    if (outcome.error != nullptr) error_sum += outcome.error[i];
    if (outcome.correct != nullptr) correct += outcome.correct[i];
    participants += outcome.participates[i];
    if (outcome.labels != nullptr) mixtures += outcome.labels[i] == no_label ? 1 : 0;
    if (outcome.significance != nullptr) outcome.significance[outcome.samples[i]] += outcome.participates[i];
    if (outcome.judged != nullptr)
      outcome.judged[outcome.samples[i]] = static_cast<std::uint8_t>(outcome.participates[i]);
    if (outcome.entered != nullptr && outcome.participates[i] != 0) outcome.entered[outcome.samples[i]] = 1;
  }
  count_applied(*state, outcome.rows, loss_sum, error_sum, correct, participants, mixtures);
}

}  // namespace retort::cpu
