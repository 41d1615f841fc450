#include "kernels/recall.h"

namespace retort::cpu {

void recall_participation(const Launch&, int rows, const std::int32_t* samples, const std::uint8_t* judged,
                          std::int32_t* participates, StepState* state) {
  for (int i = 0; i < rows; ++i) participates[i] = judged[samples[i]];
  state->verdict = static_cast<std::int32_t>(StepVerdict::applied);
}

}  // namespace retort::cpu
