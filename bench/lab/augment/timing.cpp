#include "bench/lab/timing.h"

#include "bench/lab/augment/augment.h"

namespace retort::lab {

void time_augment(const Timer& timer) {
  timer.heading("augment");
  constexpr int data_set = 50000, size = 32, channels = 3;
  const Block images(std::size_t{data_set} * size * size * channels);
  images.upload_uniform(DType::u8, std::size_t{data_set} * size * size * channels, 1, 0, 255);
  const Block state(sizeof(StepState));
  for (const int rows : {128, 1024, 8192}) {
    const Block samples(static_cast<std::size_t>(rows) * sizeof(std::int32_t));
    samples.upload_uniform(DType::i32, static_cast<std::size_t>(rows), 2, 0, data_set - 1);
    for (const DType dtype : {DType::f32, DType::bf16}) {
      Augment problem;
      AugmentShape& shape = problem.shape;
      shape.rows = rows;
      shape.height = shape.width = size;
      shape.channels = shape.out_channels = channels;
      shape.crop_padding = 4;
      shape.flip = true;
      shape.dtype = dtype;
      const Block out(static_cast<std::size_t>(rows) * size * size * channels * size_of(dtype));
      problem.images = images.as<std::uint8_t>();
      problem.samples = samples.as<std::int32_t>();
      problem.state = state.as<StepState>();
      problem.out = out.as<void>();
      const std::string name = std::to_string(rows) + " of 32x32x3" + (dtype == DType::bf16 ? " bf16" : " fp32");
      for (const AugmentVersion& version : augment_versions) {
        if (!takes(version, shape)) continue;
        timer.line(version.name, version.idea, name, least_bytes(shape), [&] { version.run({}, problem); });
      }
    }
  }
}

}  // namespace retort::lab
