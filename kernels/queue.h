// The queue of compact regulation: participants of scored batches wait on the device until a full batch is there.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

// clang-format off
RETORT_KERNELS(
  /// If state.verdict is `applied`: appends samples[i] for every i with participates[i], in row order. (Of a batch whose
  /// loss is not finite the mask means nothing.) The caller keeps count + rows <= capacity.
  void queue_push(const Launch& launch, int rows, const std::int32_t* samples, const std::int32_t* participates,
                  const StepState* state, std::int32_t* queue, std::int32_t* count);
  /// Moves the first `batch` entries to out and the rest to the front. Requires count >= batch.
  void queue_pop(const Launch& launch, int batch, std::int32_t* queue, std::int32_t* count, std::int32_t* out);
)
// clang-format on
