#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

constexpr int data_set = 50000;

void commit(Run& run, int rows, int buffers) {
  StepOutcome outcome;
  outcome.rows = rows;
  outcome.loss = run.reads(DType::f32, rows);
  outcome.correct = run.integers(rows, 2);
  outcome.participates = run.integers(rows, 2);
  outcome.samples = run.integers(rows, data_set);
  outcome.significance = run.holds(DType::i32, data_set, 0, 0);
  outcome.entered = run.holds(DType::u8, data_set);
  run.moves(std::int64_t{rows} * (2 * 4 + 1));  // the counts of the batch's samples alone
  outcome.buffers = run.writes(DType::f32, buffers);
  outcome.pending_buffers = run.reads(DType::f32, buffers);
  outcome.buffer_count = buffers;
  StepState* state = run.step_state();
  run.time([&] { run.kernels.commit_step({}, outcome, state); });
}

}  // namespace

void add_commit(Suite& suite) {
  for (const ThreeStages& net : three_stage_networks) {
    const std::string id = std::string(net.name) + " " + std::to_string(network_batch) + " rows " +
                           std::to_string(net.buffers) + " buffers";
    suite.add("commit", "commit_step", id, DType::f32,
              [buffers = net.buffers](Run& run) { commit(run, network_batch, buffers); });
  }
}

}  // namespace retort::bench
