#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

struct Layer {
  LinearShape shape;
  Launch launch;
  std::int64_t x, weight, y;  // elements

  Layer(Run& run, const LinearShape& s)
      : shape(s),
        launch(run.launch(run.kernels.linear_workspace(s))),
        x(std::int64_t{s.batch} * s.in_features),
        weight(std::int64_t{s.out_features} * s.in_features),
        y(std::int64_t{s.batch} * s.out_features) {
    run.computes(2 * s.macs(), DType::f32);
  }
};

void forward(Run& run, const cases::LinearCase& c) {
  const Layer layer(run, c.shape);
  const float* x = run.reads(DType::f32, layer.x);
  const float* weight = run.reads(DType::f32, layer.weight);
  const float* bias = c.bias ? run.reads(DType::f32, c.shape.out_features) : Pointer();
  float* y = run.writes(DType::f32, layer.y);
  run.time([&] { run.kernels.linear_forward(layer.launch, layer.shape, x, weight, bias, y); });
}

void backward_data(Run& run, const cases::LinearCase& c) {
  const Layer layer(run, c.shape);
  const float* dy = run.reads(DType::f32, layer.y);
  const float* weight = run.reads(DType::f32, layer.weight);
  float* dx = run.writes(DType::f32, layer.x);
  run.time([&] { run.kernels.linear_backward_data(layer.launch, layer.shape, dy, weight, dx); });
}

void backward_weight(Run& run, const cases::LinearCase& c) {
  const Layer layer(run, c.shape);
  const float* x = run.reads(DType::f32, layer.x);
  const float* dy = run.reads(DType::f32, layer.y);
  float* dweight = run.writes(DType::f32, layer.weight);
  float* dbias = c.bias ? run.writes(DType::f32, c.shape.out_features) : Pointer();
  run.time([&] { run.kernels.linear_backward_weight(layer.launch, layer.shape, x, dy, dweight, dbias); });
}

}  // namespace

void add_linear(Suite& suite) {
  for (const cases::LinearCase& c : suite.pick(network_linears(), cases::linear_cases())) {
    suite.add("linear", "forward", c.id, DType::f32, [c](Run& run) { forward(run, c); });
    suite.add("linear", "backward_data", c.id, DType::f32, [c](Run& run) { backward_data(run, c); });
    suite.add("linear", "backward_weight", c.id, DType::f32, [c](Run& run) { backward_weight(run, c); });
  }
}

}  // namespace retort::bench
