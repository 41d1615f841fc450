#include "bench/lab/timing.h"

#include "bench/lab/batch_norm/batch_norm.h"

namespace retort::lab {

void time_batch_norm(const Timer& timer) {
  timer.heading("batch_norm");
  // ResNet-20's three stages at a batch of 128, a wider network's, and one that v5 takes.
  for (const auto& [rows, channels] : {std::pair{131072, 16}, {32768, 32}, {8192, 64}, {131072, 64}, {4096, 512}}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const std::size_t n = static_cast<std::size_t>(rows) * static_cast<std::size_t>(channels);
      const std::size_t channel_bytes = static_cast<std::size_t>(channels) * sizeof(float);
      BatchNorm problem;
      problem.rows = rows;
      problem.channels = channels;
      problem.dtype = dtype;
      const Block x(n * size_of(dtype)), y(n * size_of(dtype)), partials(partial_count(problem) * sizeof(float));
      const Block gamma(channel_bytes), beta(channel_bytes), mean(channel_bytes), variance(channel_bytes);
      x.upload_uniform(dtype, n, 1, -1, 1);
      gamma.upload_uniform(DType::f32, static_cast<std::size_t>(channels), 2, 0.5F, 1.5F);
      problem.x = x.as<void>();
      problem.y = y.as<void>();
      problem.gamma = gamma.as<float>();
      problem.beta = beta.as<float>();
      problem.mean = mean.as<float>();
      problem.variance = variance.as<float>();
      problem.partials = partials.as<float>();
      const std::string shape =
          std::to_string(rows) + " x " + std::to_string(channels) + (dtype == DType::bf16 ? " bf16" : " fp32");
      for (const BatchNormVersion& version : batch_norm_versions) {
        if (!takes(version, problem)) continue;
        timer.line(version.name, version.idea, shape, least_bytes(problem), [&] { version.run({}, problem); });
      }
    }
  }
}

}  // namespace retort::lab
