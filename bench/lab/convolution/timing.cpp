#include "bench/lab/timing.h"

#include <cstdio>

#include "bench/lab/convolution/convolution.h"

namespace retort::lab {
namespace {

// Layers of the networks for CIFAR, a batch of 128: the stages of ResNet, and a wide one.
constexpr Conv2dShape layers[] = {
    {128, 32, 32, 16, 16, 3, 3, 1, 1},
    {128, 16, 16, 32, 64, 3, 3, 2, 1},
    {128, 8, 8, 64, 64, 3, 3, 1, 1},
    {128, 32, 32, 160, 160, 3, 3, 1, 1},
};

std::string text_of(const Conv2dShape& s) {
  const auto n = [](int value) { return std::to_string(value); };
  return n(s.height) + "x" + n(s.width) + "x" + n(s.in_channels) + " to " + n(s.out_channels) + " s" + n(s.stride);
}

}  // namespace

void time_convolution(const Timer& timer) {
  timer.heading("convolution");
  for (Conv2dShape shape : layers) {
    const Convolution sizes = convolution_of(shape, nullptr, nullptr, nullptr);
    const auto inputs = static_cast<std::size_t>(shape.batch) * shape.height * shape.width * shape.in_channels;
    const auto filters = static_cast<std::size_t>(shape.out_channels) * sizes.terms();
    const auto outputs = static_cast<std::size_t>(sizes.pixels()) * shape.out_channels;
    for (const DType dtype : {DType::f32, DType::bf16}) {
      shape.dtype = dtype;
      const Block x(inputs * size_of(dtype)), filter(filters * size_of(dtype)), y(outputs * size_of(dtype));
      x.upload_uniform(dtype, inputs, 1, -1, 1);
      filter.upload_uniform(dtype, filters, 2, -1, 1);
      const Convolution problem = convolution_of(shape, x.as<void>(), filter.as<void>(), y.as<void>());
      for (const ConvolutionVersion& version : convolution_versions) {
        if (!takes(version, shape)) continue;
        const double seconds = timer.seconds_of([&] { version.run({}, problem); });
        std::printf("%-12s %-40s %24s %10.1f %7.1f%% %8.2f TFLOP/s\n", version.name, version.idea,
                    text_of(shape).c_str(), 1e6 * seconds, 100 * least_bytes(problem) / seconds / timer.bandwidth,
                    1e-12 * operations(problem) / seconds);
      }
    }
  }
}

}  // namespace retort::lab
