#include "kernels/fixed_operations.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/cpu/parallel.h"
#include "kernels/transform_randomness.h"

namespace retort::cpu {
namespace {

constexpr int kLevels = 256;

int level_of(float x) {
  return std::clamp(static_cast<int>(x * 255 + 0.5F), 0, kLevels - 1);
}

}  // namespace

void equalize(const Launch&, int rows, int height, int width, int channels, const float* x, float* y) {
  const std::int64_t pixels = std::int64_t{height} * width;
  for_ranges(std::int64_t{rows} * channels, grain_of(pixels), [&](auto begin, auto end) {
    for (auto plane = begin; plane < end; ++plane) {
      const float* from = x + plane / channels * pixels * channels + plane % channels;
      float* to = y + (from - x);
      std::array<int, kLevels> histogram{};
      for (std::int64_t p = 0; p < pixels; ++p) ++histogram[static_cast<std::size_t>(level_of(from[p * channels]))];
      const int brightest = *std::find_if(histogram.rbegin(), histogram.rend(), [](int count) { return count > 0; });
      const int step = (static_cast<int>(pixels) - brightest) / (kLevels - 1);
      std::array<float, kLevels> becomes;
      int below = step / 2;
      for (std::size_t v = 0; v < kLevels; ++v) {
        becomes[v] = step == 0 ? static_cast<float>(v) / 255 : static_cast<float>(std::min(255, below / step)) / 255;
        below += histogram[v];
      }
      for (std::int64_t p = 0; p < pixels; ++p) {
        to[p * channels] = becomes[static_cast<std::size_t>(level_of(from[p * channels]))];
      }
    }
  });
}

void cutout(const Launch&, int rows, int height, int width, int channels, int size, const StepState* state,
            const float* x, float* y) {
  const std::int64_t numbers = std::int64_t{height} * width * channels;
  for_ranges(rows, grain_of(numbers), [&](auto begin, auto end) {
    for (auto n = begin; n < end; ++n) {
      const Pixel centre = cutout_centre(static_cast<int>(n), height, width, *state);
      const int top = centre.row - size / 2, left = centre.column - size / 2;
      for (int i = 0; i < height; ++i) {
        for (int j = 0; j < width; ++j) {
          const bool cut = i >= top && i < top + size && j >= left && j < left + size;
          const std::int64_t at = n * numbers + (std::int64_t{i} * width + j) * channels;
          for (int c = 0; c < channels; ++c) y[at + c] = cut ? 0.0F : x[at + c];
        }
      }
    }
  });
}

void invert(const Launch&, std::int64_t n, const float* x, float* y) {
  for_ranges(n, 16384, [&](auto begin, auto end) {
    for (auto i = begin; i < end; ++i) y[i] = 1 - x[i];
  });
}

}  // namespace retort::cpu
