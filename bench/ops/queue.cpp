#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

/// A batch of participants in and one out: only the pair leaves the queue as it was.
void push_and_pop(Run& run, int rows) {
  const std::int32_t* samples = run.integers(rows, 50000);
  const std::int32_t* participates = run.reads(DType::i32, rows, 1, 1);
  std::int32_t* queue = run.updates(DType::i32, 2 * rows, 0, 0);
  std::int32_t* count = run.updates(DType::i32, 1, static_cast<float>(rows) / 2, static_cast<float>(rows) / 2);
  const StepState* state = run.step_state();
  std::int32_t* out = run.writes(DType::i32, rows);
  run.time([&] {
    run.kernels.queue_push({}, rows, samples, participates, state, queue, count);
    run.kernels.queue_pop({}, rows, queue, count, out);
  });
}

}  // namespace

void add_queue(Suite& suite) {
  suite.add("queue", "push_and_pop", std::to_string(network_batch) + " rows", DType::i32,
            [](Run& run) { push_and_pop(run, network_batch); });
}

}  // namespace retort::bench
