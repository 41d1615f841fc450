#include "data/image_operations.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/affine_sample.h"
#include "kernels/error.h"

namespace retort {
namespace {

// AutoAugment's ranges.
constexpr float kLargestShear = 0.3F;
constexpr float kLargestTranslation = 150.0F / 331.0F;  // of the side
constexpr float kLargestAngle = 30.0F;                  // degrees
constexpr float kLargestEnhancement = 0.9F;             // added to or taken from a factor of 1
constexpr float kBitsTaken = 4.0F;

struct Image {
  int height, width, channels;
  const float* x;
  int pixels() const { return height * width; }
  /// ITU-R 601 luma, as PIL converts.
  float grey(int pixel) const {
    const float* p = x + pixel * channels;
    return channels == 3 ? (299 * p[0] + 587 * p[1] + 114 * p[2]) / 1000 : p[0];
  }
};

float clamped(float value) {
  return std::clamp(value, 0.0F, 1.0F);
}

/// PIL's enhancers: `other` moved towards the image and beyond by a factor; 0 is `other`, 1 the image.
template <typename Other>
void enhance(const Image& image, float strength, float* y, const Other& other) {
  const float factor = 1 + kLargestEnhancement * strength;
  for (int p = 0; p < image.pixels(); ++p) {
    for (int c = 0; c < image.channels; ++c) {
      const int i = p * image.channels + c;
      const float from = other(p, c);
      y[i] = clamped(from + factor * (image.x[i] - from));
    }
  }
}

/// PIL's SMOOTH filter, which leaves the outermost pixels as they are.
float smoothed(const Image& image, int pixel, int c) {
  const int h = pixel / image.width, w = pixel % image.width;
  const auto at = [&](int row, int column) { return image.x[(row * image.width + column) * image.channels + c]; };
  if (h == 0 || w == 0 || h == image.height - 1 || w == image.width - 1) return at(h, w);
  float sum = 4 * at(h, w);
  for (int row = h - 1; row <= h + 1; ++row) {
    for (int column = w - 1; column <= w + 1; ++column) sum += at(row, column);
  }
  return sum / 13;
}

int level(float value) {
  return static_cast<int>(std::lround(255 * clamped(value)));
}

}  // namespace

const OperationInfo& info_of(Operation operation) {
  static const OperationInfo all[kOperations] = {
      {"brightness", true, "factor 1 to 1.9 (0.1 below 0)"},
      {"color", true, "saturation 1 to 1.9 (0.1 below 0)"},
      {"contrast", true, "factor 1 to 1.9 (0.1 below 0)"},
      {"sharpness", true, "factor 1 to 1.9 (0.1 below 0)"},
      {"posterize", false, "8 to 4 bits"},
      {"solarize", false, "levels from 256 to 0 inverted"},
      {"shear-x", true, "0 to 0.3"},
      {"shear-y", true, "0 to 0.3"},
      {"translate-x", true, "0 to 150/331 of the width"},
      {"translate-y", true, "0 to 150/331 of the height"},
      {"rotate", true, "0 to 30 degrees"},
      {"equalize", false, "no strength"},
      {"invert", false, "no strength"},
      {"cutout", false, "no strength: half of each side"},
  };
  return all[static_cast<std::size_t>(operation)];
}

std::array<float, 6> affine_of(Operation operation, float strength, int height, int width) {
  // In coordinates from -1 to 1, one unit of which is half a side.
  const float tall = static_cast<float>(height) / static_cast<float>(width);
  switch (operation) {
    case Operation::shear_x:
      return {1, kLargestShear * strength * tall, 0, 0, 1, 0};
    case Operation::shear_y:
      return {1, 0, 0, kLargestShear * strength / tall, 1, 0};
    case Operation::translate_x:
      return {1, 0, 2 * kLargestTranslation * strength, 0, 1, 0};
    case Operation::translate_y:
      return {1, 0, 0, 0, 1, 2 * kLargestTranslation * strength};
    case Operation::rotate: {
      const float angle = kLargestAngle * strength * std::numbers::pi_v<float> / 180;
      return {std::cos(angle), -std::sin(angle) * tall, 0, std::sin(angle) / tall, std::cos(angle), 0};
    }
    default:
      fail(ErrorKind::usage, text("'", info_of(operation).name, "' is not a geometric operation"));
  }
}

void apply_operation(Operation operation, float strength, int height, int width, int channels, const float* x,
                     float* y) {
  RETORT_CHECK(channels == 1 || channels == 3, "an operation on images with ", channels, " channels");
  const Image image{height, width, channels, x};
  const int numbers = image.pixels() * channels;
  switch (operation) {
    case Operation::brightness:
      return enhance(image, strength, y, [](int, int) { return 0.0F; });
    case Operation::color:
      return enhance(image, strength, y, [&](int p, int) { return image.grey(p); });
    case Operation::contrast: {
      double sum = 0;
      for (int p = 0; p < image.pixels(); ++p) sum += image.grey(p);
      const auto mean = static_cast<float>(sum / image.pixels());
      return enhance(image, strength, y, [&](int, int) { return mean; });
    }
    case Operation::sharpness:
      return enhance(image, strength, y, [&](int p, int c) { return smoothed(image, p, c); });
    case Operation::posterize: {
      const int taken = static_cast<int>(std::lround(kBitsTaken * strength));
      for (int i = 0; i < numbers; ++i) y[i] = static_cast<float>(level(x[i]) >> taken << taken) / 255;
      return;
    }
    case Operation::solarize: {
      const float threshold = 256 * (1 - strength);
      for (int i = 0; i < numbers; ++i) y[i] = static_cast<float>(level(x[i])) < threshold ? x[i] : 1 - x[i];
      return;
    }
    case Operation::equalize:
    case Operation::invert:
    case Operation::cutout:
      fail(ErrorKind::usage, text("'", info_of(operation).name, "' has no strength"));
    default: {
      const std::array<float, 6> theta = affine_of(operation, strength, height, width);
      return cpu::affine_sample_forward({}, 1, height, width, channels, x, theta.data(), y);
    }
  }
}

}  // namespace retort
