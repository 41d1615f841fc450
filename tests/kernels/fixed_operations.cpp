// Equalize and cutout by their definitions.
#include "kernels/fixed_operations.h"

#include <set>

#include "kernels/transform_randomness.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

/// As PIL's ImageOps.equalize does it to one channel.
Values equalized(const Values& levels) {
  std::vector<int> histogram(256, 0);
  for (const double v : levels) ++histogram[static_cast<std::size_t>(v)];
  std::vector<int> there;
  for (const int count : histogram) {
    if (count > 0) there.push_back(count);
  }
  const int step = (static_cast<int>(levels.size()) - there.back()) / 255;
  if (there.size() <= 1 || step == 0) return levels;
  std::vector<int> table;
  int n = step / 2;
  for (const int count : histogram) {
    table.push_back(std::min(255, n / step));
    n += count;
  }
  Values out;
  for (const double v : levels) out.push_back(table[static_cast<std::size_t>(v)]);
  return out;
}

Values run_equalize(const Backend& backend, int rows, int height, int width, int channels, Values levels) {
  for (double& v : levels) v = round_to(DType::f32, v / 255);
  const Buffer x = input(backend, DType::f32, levels), y = output(backend, DType::f32, levels.size());
  backend.equalize({}, rows, height, width, channels, x.f32(), y.f32());
  Values out = y.values();
  for (double& v : out) v = std::round(v * 255);
  return out;
}

BACKEND_TEST("equalize spreads each channel's levels") {
  NEEDS(equalize);
  const struct {
    int rows, height, width, channels, levels;
  } cases[] = {{2, 32, 32, 3, 256}, {3, 32, 32, 1, 40}, {1, 5, 7, 3, 256},
               {2, 36, 60, 1, 7},   {1, 32, 32, 3, 1},  {1, 40, 41, 4, 100}};
  for (const auto& c : cases) {
    CAPTURE(c.height);
    const std::size_t pixels = 1UL * c.height * c.width;
    const Values levels = random_integers(pixels * c.rows * c.channels, 1, c.levels);
    const Values found = run_equalize(backend, c.rows, c.height, c.width, c.channels, levels);
    for (int n = 0; n < c.rows; ++n) {
      for (int k = 0; k < c.channels; ++k) {
        Values plane, result;
        for (std::size_t p = 0; p < pixels; ++p) {
          plane.push_back(levels[(n * pixels + p) * c.channels + k]);
          result.push_back(found[(n * pixels + p) * c.channels + k]);
        }
        CHECK(result == equalized(plane));
      }
    }
  }
}

BACKEND_TEST("cutout blackens a box, cut off at the edges, somewhere else in each image") {
  NEEDS(cutout);
  constexpr int rows = 60, height = 9, width = 11, channels = 2;
  const Values x = random_values(1UL * rows * height * width * channels, 1, DType::f32, 0.1, 1);
  StepState host;
  host.seed = 4;
  host.batch = 9;
  const DeviceStruct<StepState> state(backend, host, Buffer::Use::input);
  for (const int size : {1, 4, 5, 30}) {
    const Buffer in = input(backend, DType::f32, x), y = output(backend, DType::f32, x.size());
    backend.cutout({}, rows, height, width, channels, size, state.data(), in.f32(), y.f32());
    const Values found = y.values();
    Values want = x;
    std::set<std::pair<int, int>> corners;
    for (int n = 0; n < rows; ++n) {
      const Pixel centre = cutout_centre(n, height, width, host);
      CHECK((centre.row >= 0 && centre.row < height && centre.column >= 0 && centre.column < width));
      corners.emplace(centre.row, centre.column);
      const int top = centre.row - size / 2, left = centre.column - size / 2;
      for (int i = std::max(0, top); i < std::min(height, top + size); ++i) {
        for (int j = std::max(0, left); j < std::min(width, left + size); ++j) {
          for (int c = 0; c < channels; ++c) want[((n * height + i) * width + j) * channels + c] = 0;
        }
      }
    }
    check_equal("cut", found, want);
    CHECK(corners.size() > 30);
  }
}

BACKEND_TEST("invert") {
  NEEDS(invert);
  for (const std::size_t n : {1UL, 70000UL}) {
    const Values x = random_values(n, 1, DType::f32, 0, 1);
    const Buffer in = input(backend, DType::f32, x), y = output(backend, DType::f32, n);
    backend.invert({}, static_cast<std::int64_t>(n), in.f32(), y.f32());
    Values want;
    for (const double value : x) want.push_back(static_cast<float>(1 - static_cast<float>(value)));
    check_equal("inverted", y.values(), want);
  }
}

}  // namespace
}  // namespace retort::test
