#include "kernels/queue.h"

#include <algorithm>

namespace retort::cpu {

void queue_push(const Launch&, int rows, const std::int32_t* samples, const std::int32_t* participates,
                const StepState* state, std::int32_t* queue, std::int32_t* count) {
  if (state->verdict != static_cast<std::int32_t>(StepVerdict::applied)) return;
  for (int i = 0; i < rows; ++i) {
    if (participates[i] != 0) queue[(*count)++] = samples[i];
  }
}

void queue_pop(const Launch&, int batch, std::int32_t* queue, std::int32_t* count, std::int32_t* out) {
  std::copy_n(queue, batch, out);
  std::copy(queue + batch, queue + *count, queue);
  *count -= batch;
}

}  // namespace retort::cpu
