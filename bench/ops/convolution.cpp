#include "bench/ops/network_cases.h"
#include "bench/ops/suite.h"

namespace retort::bench {
namespace {

/// What the three passes of a convolution have in common.
struct Layer {
  Conv2dShape shape;
  Launch launch;
  std::int64_t x, weight, y;  // elements

  Layer(Run& run, const Conv2dShape& s, ConvolutionPass pass)
      : shape(s),
        launch(run.launch(run.kernels.conv2d_workspace(s, pass, Precision::fp32))),
        x(std::int64_t{s.batch} * s.height * s.width * s.in_channels),
        weight(std::int64_t{s.out_channels} * s.kernel_h * s.kernel_w * s.in_channels),
        y(std::int64_t{s.batch} * s.out_height() * s.out_width() * s.out_channels) {
    run.computes(2 * s.macs(), s.dtype);
  }
};

void forward(Run& run, const cases::ConvolutionCase& c) {
  const Layer layer(run, c.shape, ConvolutionPass::forward);
  const void* x = run.reads(c.shape.dtype, layer.x);
  const void* weight = run.reads(c.shape.dtype, layer.weight);
  const float* bias = c.bias ? run.reads(DType::f32, c.shape.out_channels) : Pointer();
  void* y = run.writes(c.shape.dtype, layer.y);
  run.time([&] { run.kernels.conv2d_forward(layer.launch, layer.shape, x, weight, bias, y); });
}

void backward_data(Run& run, const cases::ConvolutionCase& c) {
  const Layer layer(run, c.shape, ConvolutionPass::backward_data);
  const void* dy = run.reads(c.shape.dtype, layer.y);
  const void* weight = run.reads(c.shape.dtype, layer.weight);
  void* dx = run.writes(c.shape.dtype, layer.x);
  run.time([&] { run.kernels.conv2d_backward_data(layer.launch, layer.shape, dy, weight, dx); });
}

void backward_filter(Run& run, const cases::ConvolutionCase& c) {
  const Layer layer(run, c.shape, ConvolutionPass::backward_filter);
  const void* x = run.reads(c.shape.dtype, layer.x);
  const void* dy = run.reads(c.shape.dtype, layer.y);
  void* dweight = run.writes(run.kernels.conv2d_filter_gradient_type(c.shape), layer.weight);
  float* dbias = c.bias ? run.writes(DType::f32, c.shape.out_channels) : Pointer();
  run.time([&] { run.kernels.conv2d_backward_filter(layer.launch, layer.shape, x, dy, dweight, dbias); });
}

}  // namespace

void add_convolution(Suite& suite) {
  for (const cases::ConvolutionCase& c : suite.pick(network_convolutions(), cases::convolution_cases())) {
    const DType dtype = c.shape.dtype;
    if (!suite.is_native(dtype)) continue;
    suite.add("convolution", "forward", c.id, dtype, [c](Run& run) { forward(run, c); });
    suite.add("convolution", "backward_data", c.id, dtype, [c](Run& run) { backward_data(run, c); });
    suite.add("convolution", "backward_filter", c.id, dtype, [c](Run& run) { backward_filter(run, c); });
  }
}

}  // namespace retort::bench
