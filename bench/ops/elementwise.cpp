#include "bench/ops/large_cases.h"
#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

void relu_forward(Run& run, DType dtype, std::int64_t n) {
  const void* x = run.reads(dtype, n);
  void* y = run.writes(dtype, n);
  run.moves_again(0);
  run.time([&] { run.kernels.relu_forward({}, dtype, n, x, y); });
}

void relu_backward(Run& run, DType dtype, std::int64_t n) {
  const void* dy = run.reads(dtype, n);
  const void* y = run.reads(dtype, n);
  void* dx = run.writes(dtype, n);
  run.moves_again(0);
  run.time([&] { run.kernels.relu_backward({}, dtype, n, dy, y, dx); });
}

void add(Run& run, DType dtype, std::int64_t n) {
  const void* a = run.reads(dtype, n);
  const void* b = run.reads(dtype, n);
  void* sum = run.writes(dtype, n);
  run.moves_again(0);
  run.time([&] { run.kernels.add({}, dtype, n, a, b, sum); });
}

/// To the other type.
void convert(Run& run, DType from_type, std::int64_t n) {
  const DType to_type = from_type == DType::f32 ? DType::bf16 : DType::f32;
  const void* from = run.reads(from_type, n);
  void* to = run.writes(to_type, n);
  run.moves_again(0);
  run.time([&] { run.kernels.convert({}, n, from_type, from, to_type, to); });
}

void dropout(Run& run, const cases::DropoutCase& c) {
  const std::int64_t n = std::int64_t{c.rows} * c.features;
  const std::int32_t* samples = run.integers(c.rows, 50000);
  const StepState* state = run.step_state();
  const void* x = run.reads(c.dtype, n);
  void* y = run.writes(c.dtype, n);
  run.time([&] { run.kernels.dropout({}, c.dtype, c.rows, c.features, c.p, c.layer, samples, state, x, y); });
}

}  // namespace

void add_elementwise(Suite& suite) {
  for (const cases::ElementwiseCase& c :
       suite.pick(network_elementwise(), cases::elementwise_cases(), large_elementwise())) {
    suite.add("elementwise", "relu_forward", c.id, c.dtype, [c](Run& run) { relu_forward(run, c.dtype, c.n); });
    suite.add("elementwise", "relu_backward", c.id, c.dtype, [c](Run& run) { relu_backward(run, c.dtype, c.n); });
    suite.add("elementwise", "add", c.id, c.dtype, [c](Run& run) { add(run, c.dtype, c.n); });
    suite.add("elementwise", "convert", c.id, c.dtype, [c](Run& run) { convert(run, c.dtype, c.n); });
  }
  for (const cases::DropoutCase& c : suite.pick(network_dropouts(), cases::dropout_cases())) {
    suite.add("elementwise", "dropout", c.id, c.dtype, [c](Run& run) { dropout(run, c); });
  }
}

}  // namespace retort::bench
