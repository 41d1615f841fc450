#include "kernels/affine_sample.h"

#include "kernels/affine_place.h"
#include "kernels/cpu/parallel.h"

namespace retort::cpu {

void affine_sample_forward(const Launch&, int rows, int height, int width, int channels, const float* images,
                           const float* theta, float* out) {
  const std::int64_t size = std::int64_t{height} * width * channels;
  for_ranges(rows, grain_of(size), [&](auto begin, auto end) {
    for (auto n = begin; n < end; ++n) {
      const EdgedImage image{height, width, channels, images + n * size};
      float* to = out + n * size;
      for (int i = 0; i < height; ++i) {
        for (int j = 0; j < width; ++j) {
          const AffinePlace<double> place(theta + n * 6, i, j, height, width);
          for (int c = 0; c < channels; ++c) *to++ = static_cast<float>(place.value(image, c));
        }
      }
    }
  });
}

void affine_sample_backward(const Launch&, int rows, int height, int width, int channels, const float* images,
                            const float* theta, const float* dout, float* dtheta) {
  const std::int64_t size = std::int64_t{height} * width * channels;
  for_ranges(rows, grain_of(size), [&](auto begin, auto end) {
    for (auto n = begin; n < end; ++n) {
      const EdgedImage image{height, width, channels, images + n * size};
      const float* from = dout + n * size;
      double sums[6] = {};
      for (int i = 0; i < height; ++i) {
        for (int j = 0; j < width; ++j) {
          const AffinePlace<double> place(theta + n * 6, i, j, height, width);
          double by_x = 0, by_y = 0;
          for (int c = 0; c < channels; ++c) {
            double along_x, along_y;
            place.slopes(image, c, &along_x, &along_y);
            const double g = *from++;
            by_x += g * along_x;
            by_y += g * along_y;
          }
          const double weights[3] = {place.x, place.y, 1};
          for (int w = 0; w < 3; ++w) {
            sums[w] += by_x * weights[w];
            sums[3 + w] += by_y * weights[w];
          }
        }
      }
      for (int w = 0; w < 6; ++w) dtheta[n * 6 + w] = static_cast<float>(sums[w]);
    }
  });
}

}  // namespace retort::cpu
