// Affine maps of images against a direct reading of the definition, and their gradient against differences.
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

struct Shape4 {
  int rows, height, width, channels;
  std::size_t size() const { return 1UL * rows * height * width * channels; }
};

/// Interpolation as a sum over all pixels of the input, each with the hat function of its distance.
Values sampled(const Shape4& s, const Values& images, const Values& theta) {
  Values out;
  const auto hat = [](double distance) { return std::max(0.0, 1 - std::abs(distance)); };
  for (int n = 0; n < s.rows; ++n) {
    const double* t = theta.data() + 6 * n;
    for (int i = 0; i < s.height; ++i)
      for (int j = 0; j < s.width; ++j)
        for (int c = 0; c < s.channels; ++c) {
          const double x = (2 * j + 1.0) / s.width - 1, y = (2 * i + 1.0) / s.height - 1;
          const double column = ((t[0] * x + t[1] * y + t[2] + 1) * s.width - 1) / 2;
          const double row = ((t[3] * x + t[4] * y + t[5] + 1) * s.height - 1) / 2;
          double sum = 0;
          for (int k = 0; k < s.height; ++k)
            for (int l = 0; l < s.width; ++l) {
              sum += hat(row - k) * hat(column - l) * images[((n * s.height + k) * s.width + l) * s.channels + c];
            }
          out.push_back(sum);
        }
  }
  return out;
}

Values run_forward(const Backend& backend, const Shape4& s, const Values& images, const Values& theta) {
  const Buffer in = input(backend, DType::f32, images), how = input(backend, DType::f32, theta);
  const Buffer out = output(backend, DType::f32, s.size());
  backend.affine_sample_forward({}, s.rows, s.height, s.width, s.channels, in.f32(), how.f32(), out.f32());
  return out.values();
}

Values near_identity(int rows, double spread) {
  Values theta = normal_values(6UL * rows, 3, DType::f32, 0, spread);
  for (int n = 0; n < rows; ++n) {
    theta[6 * n] += 1;
    theta[6 * n + 4] += 1;
  }
  for (double& value : theta) value = round_to(DType::f32, value);
  return theta;
}

const Shape4 shapes[] = {{1, 5, 7, 1}, {3, 8, 8, 3}, {2, 9, 20, 2}, {4, 1, 1, 1}, {2, 32, 32, 3}};

BACKEND_TEST("an affine map of images is bilinear, and empty beyond the image") {
  NEEDS(affine_sample_forward);
  for (const Shape4& s : shapes) {
    const Values images = normal_values(s.size(), 1);
    for (const double spread : {0.0, 0.1, 0.7}) {
      CAPTURE(spread);
      const Values theta = near_identity(s.rows, spread);
      const Values expected = sampled(s, images, theta);
      // A place is off by a few roundings of a number as large as the image.
      const double error = 8 * 0x1p-24 * (4 + s.height + s.width) * 4;
      check_within("sampled", run_forward(backend, s, images, theta), expected,
                   Values(expected.size(), spread == 0 ? 1e-5 : error));
    }
  }
}

BACKEND_TEST("an affine map that looks far away shows nothing, and one that is NaN shows that") {
  NEEDS(affine_sample_backward);
  const Shape4 s{2, 4, 5, 2};
  const Values images = random_values(s.size(), 1, DType::f32, 1, 2), dout = normal_values(s.size(), 2);
  for (const double far : {1e2, 1e12, -1e30}) {
    const Values theta = {1, 0, far, 0, 1, 0, 1, 0, 0, 0, 1, far};
    CHECK(run_forward(backend, s, images, theta) == Values(s.size(), 0.0));
    const Buffer in = input(backend, DType::f32, images), how = input(backend, DType::f32, theta);
    const Buffer from = input(backend, DType::f32, dout), to = output(backend, DType::f32, 12);
    backend.affine_sample_backward({}, s.rows, s.height, s.width, s.channels, in.f32(), how.f32(), from.f32(),
                                   to.f32());
    CHECK(to.values() == Values(12, 0.0));
  }
  for (const double value : run_forward(backend, s, images, Values(12, NAN))) CHECK(std::isnan(value));
}

BACKEND_TEST("the gradient of an affine map is that of its parameters") {
  NEEDS(affine_sample_backward);
  for (const Shape4& s : shapes) {
    if (s.height == 1) continue;
    // Smooth images: differences cross the edges between pixels.
    Values images, dout = normal_values(s.size(), 2);
    for (int n = 0; n < s.rows; ++n)
      for (int i = 0; i < s.height; ++i)
        for (int j = 0; j < s.width; ++j)
          for (int c = 0; c < s.channels; ++c)
            images.push_back(round_to(DType::f32, std::sin(0.4 * i + n) + std::cos(0.3 * j + c)));
    const Values theta = near_identity(s.rows, 0.1);
    const Buffer in = input(backend, DType::f32, images), how = input(backend, DType::f32, theta);
    const Buffer from = input(backend, DType::f32, dout), to = output(backend, DType::f32, 6UL * s.rows);
    backend.affine_sample_backward({}, s.rows, s.height, s.width, s.channels, in.f32(), how.f32(), from.f32(),
                                   to.f32());
    const Values found = to.values();
    constexpr double step = 1e-6;  // so small that hardly a pixel's place passes another pixel
    for (std::size_t k = 0; k < theta.size(); ++k) {
      Values more = theta, less = theta;
      more[k] += step;
      less[k] -= step;
      const double difference =
          (dot(sampled(s, images, more), dout) - dot(sampled(s, images, less), dout)) / (2 * step);
      CHECK(std::abs(found[k] - difference) < 2e-3 * (1 + std::abs(difference)));
    }
  }
}

}  // namespace
}  // namespace retort::test
