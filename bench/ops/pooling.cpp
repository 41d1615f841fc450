#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

std::int64_t inputs(const Pool2dShape& s) {
  return std::int64_t{s.batch} * s.height * s.width * s.channels;
}
std::int64_t outputs(const Pool2dShape& s) {
  return std::int64_t{s.batch} * s.out_height() * s.out_width() * s.channels;
}

void forward(Run& run, const Pool2dShape& s, decltype(Backend::max_pool2d_forward) kernel) {
  const void* x = run.reads(s.dtype, inputs(s));
  void* y = run.writes(s.dtype, outputs(s));
  run.time([&] { kernel({}, s, x, y); });
}

void max_backward(Run& run, const Pool2dShape& s) {
  const void* x = run.reads(s.dtype, inputs(s));
  const void* dy = run.reads(s.dtype, outputs(s));
  void* dx = run.writes(s.dtype, inputs(s));
  const Launch launch = run.launch(run.kernels.pool2d_workspace(s));
  run.time([&] { run.kernels.max_pool2d_backward(launch, s, x, dy, dx); });
}

void avg_backward(Run& run, const Pool2dShape& s) {
  const void* dy = run.reads(s.dtype, outputs(s));
  void* dx = run.writes(s.dtype, inputs(s));
  const Launch launch = run.launch(run.kernels.pool2d_workspace(s));
  run.time([&] { run.kernels.avg_pool2d_backward(launch, s, dy, dx); });
}

void global_forward(Run& run, const cases::GlobalPoolingCase& c) {
  const void* x = run.reads(c.dtype, std::int64_t{c.batch} * c.positions * c.channels);
  float* y = run.writes(DType::f32, std::int64_t{c.batch} * c.channels);
  run.time([&] { run.kernels.global_avg_pool_forward({}, c.batch, c.positions, c.channels, c.dtype, x, y); });
}

void global_backward(Run& run, const cases::GlobalPoolingCase& c) {
  const float* dy = run.reads(DType::f32, std::int64_t{c.batch} * c.channels);
  void* dx = run.writes(c.dtype, std::int64_t{c.batch} * c.positions * c.channels);
  run.time([&] { run.kernels.global_avg_pool_backward({}, c.batch, c.positions, c.channels, c.dtype, dy, dx); });
}

}  // namespace

void add_pooling(Suite& suite) {
  for (const cases::PoolingCase& c : suite.pick(network_poolings(), cases::pooling_cases())) {
    const Pool2dShape& s = c.shape;
    suite.add("pooling", "max_forward", c.id, s.dtype,
              [s](Run& run) { forward(run, s, run.kernels.max_pool2d_forward); });
    suite.add("pooling", "max_backward", c.id, s.dtype, [s](Run& run) { max_backward(run, s); });
    suite.add("pooling", "avg_forward", c.id, s.dtype,
              [s](Run& run) { forward(run, s, run.kernels.avg_pool2d_forward); });
    suite.add("pooling", "avg_backward", c.id, s.dtype, [s](Run& run) { avg_backward(run, s); });
  }
  for (const cases::GlobalPoolingCase& c : suite.pick(network_global_poolings(), cases::global_pooling_cases())) {
    suite.add("pooling", "global_forward", c.id, c.dtype, [c](Run& run) { global_forward(run, c); });
    suite.add("pooling", "global_backward", c.id, c.dtype, [c](Run& run) { global_backward(run, c); });
  }
}

}  // namespace retort::bench
