// What every loss kernel reads and writes besides its logits.
#pragma once

#include "bench/ops/run.h"

namespace retort::bench {

struct LossOperands {
  const std::int32_t* samples;
  const StepState* state;
  LossRows out;
  float* gradient;

  LossOperands(Run& run, int rows, int width, bool scoring_only)
      : samples(run.integers(rows, 50000)), state(run.step_state()), gradient(nullptr) {
    out.loss = run.writes(DType::f32, rows);
    out.confidence = run.writes(DType::f32, rows);
    out.correct = run.writes(DType::i32, rows);
    out.participates = run.writes(DType::i32, rows);
    if (!scoring_only) gradient = run.writes(DType::f32, std::int64_t{rows} * width);
  }
};

}  // namespace retort::bench
