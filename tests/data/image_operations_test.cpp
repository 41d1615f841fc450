#include "data/image_operations.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/error.h"

namespace retort::test {
namespace {

constexpr int height = 4, width = 5;

const std::vector<int> picture = {
    130, 183, 14, 238, 127, 26, 80, 57, 190, 240, 126, 194, 52, 127, 6, 110, 208, 143, 93, 199, 81, 36, 71, 227,
    64, 67, 0, 2, 107, 110, 84, 85, 148, 160, 101, 104, 93, 100, 196, 152, 11, 184, 212, 84, 74, 135, 33, 169,
    154, 1, 173, 33, 158, 181, 156, 246, 161, 94, 246, 241};

std::vector<float> apply(Operation operation, float strength, int channels = 3) {
  std::vector<float> x, y(static_cast<std::size_t>(height * width * channels), NAN);
  for (std::size_t i = 0; i < y.size(); ++i) x.push_back(static_cast<float>(picture[i]) / 255);
  apply_operation(operation, strength, height, width, channels, x.data(), y.data());
  return y;
}

}  // namespace

// Made with Pillow 9.4. It rounds in between, to whole levels.
TEST_CASE("image operations: the colours' are PIL's") {
  struct Case {
    Operation operation;
    float strength;
    std::vector<int> levels;
  };
  const Case cases[] = {
      {Operation::brightness, 0.5F,
       {188, 255, 20, 255, 184, 37, 116, 82, 255, 255, 182, 255, 75, 184, 8, 159, 255, 207, 134, 255, 117, 52, 102,
       255, 92, 97, 0, 2, 155, 159, 121, 123, 214, 232, 146, 150, 134, 145, 255, 220, 15, 255, 255, 121, 107, 195,
       47, 245, 223, 1, 250, 47, 229, 255, 226, 255, 233, 136, 255, 255}},
      {Operation::brightness, -1.0F,
       {13, 18, 1, 23, 12, 2, 8, 5, 19, 24, 12, 19, 5, 12, 0, 11, 20, 14, 9, 19, 8, 3, 7, 22, 6, 6, 0, 0, 10, 11,
       8, 8, 14, 16, 10, 10, 9, 10, 19, 15, 1, 18, 21, 8, 7, 13, 3, 16, 15, 0, 17, 3, 15, 18, 15, 24, 16, 9, 24,
       24}},
      {Operation::color, 0.5F,
       {121, 198, 0, 255, 117, 0, 80, 47, 239, 255, 107, 205, 34, 143, 0, 82, 224, 130, 65, 219, 48, 17, 67, 255,
       66, 71, 0, 0, 120, 125, 80, 81, 173, 178, 92, 97, 85, 95, 235, 187, 0, 233, 252, 67, 52, 160, 12, 209, 193,
       0, 221, 0, 173, 207, 132, 255, 139, 46, 255, 255}},
      {Operation::color, -1.0F,
       {146, 151, 134, 157, 146, 136, 79, 76, 90, 175, 163, 170, 87, 94, 82, 164, 174, 168, 147, 158, 146, 73, 77,
       92, 58, 58, 52, 68, 79, 79, 91, 91, 97, 123, 117, 117, 107, 108, 117, 80, 66, 84, 130, 117, 116, 84, 74, 88,
       74, 59, 76, 114, 126, 128, 203, 212, 204, 189, 204, 204}},
      {Operation::contrast, 0.5F,
       {135, 212, 0, 255, 131, 0, 62, 29, 222, 255, 129, 228, 22, 131, 0, 106, 248, 154, 81, 235, 64, 0, 49, 255,
       39, 44, 0, 0, 102, 106, 68, 70, 161, 178, 93, 97, 81, 91, 231, 167, 0, 213, 254, 68, 54, 142, 0, 191, 170,
       0, 197, 0, 176, 209, 173, 255, 180, 83, 255, 255}},
      {Operation::contrast, -1.0F,
       {119, 124, 107, 130, 118, 108, 114, 111, 125, 130, 118, 125, 111, 118, 106, 117, 127, 120, 115, 126, 114,
       109, 113, 128, 112, 112, 106, 106, 116, 117, 114, 114, 121, 122, 116, 116, 115, 116, 125, 121, 107, 124,
       127, 114, 113, 119, 109, 123, 121, 106, 123, 109, 122, 124, 121, 130, 122, 115, 130, 130}},
      {Operation::sharpness, 0.5F,
       {130, 183, 14, 238, 127, 26, 80, 57, 190, 240, 126, 194, 52, 127, 6, 110, 208, 143, 86, 221, 67, 7, 63, 255,
       51, 62, 0, 2, 107, 110, 84, 85, 148, 178, 99, 87, 89, 98, 211, 170, 0, 193, 212, 84, 74, 135, 33, 169, 154,
       1, 173, 33, 158, 181, 156, 246, 161, 94, 246, 241}},
      {Operation::sharpness, -1.0F,
       {130, 183, 14, 238, 127, 26, 80, 57, 190, 240, 126, 194, 52, 127, 6, 110, 208, 143, 105, 153, 108, 93, 86,
       168, 88, 76, 81, 2, 107, 110, 84, 85, 148, 122, 104, 137, 100, 103, 164, 116, 79, 164, 212, 84, 74, 135, 33,
       169, 154, 1, 173, 33, 158, 181, 156, 246, 161, 94, 246, 241}},
      {Operation::posterize, 0.5F,
       {128, 180, 12, 236, 124, 24, 80, 56, 188, 240, 124, 192, 52, 124, 4, 108, 208, 140, 92, 196, 80, 36, 68,
       224, 64, 64, 0, 0, 104, 108, 84, 84, 148, 160, 100, 104, 92, 100, 196, 152, 8, 184, 212, 84, 72, 132, 32,
       168, 152, 0, 172, 32, 156, 180, 156, 244, 160, 92, 244, 240}},
      {Operation::solarize, 0.5F,
       {125, 72, 14, 17, 127, 26, 80, 57, 65, 15, 126, 61, 52, 127, 6, 110, 47, 112, 93, 56, 81, 36, 71, 28, 64,
       67, 0, 2, 107, 110, 84, 85, 107, 95, 101, 104, 93, 100, 59, 103, 11, 71, 43, 84, 74, 120, 33, 86, 101, 1,
       82, 33, 97, 74, 99, 9, 94, 94, 9, 14}},
  };
  for (const Case& c : cases) {
    CAPTURE(info_of(c.operation).name);
    CAPTURE(c.strength);
    const std::vector<float> found = apply(c.operation, c.strength);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(255 * found[i] - static_cast<float>(c.levels[i])) < 2);
  }
}

TEST_CASE("image operations: strength 0 changes nothing") {
  for (int i = 0; i < kOperationsWithStrength; ++i) {
    for (const int channels : {1, 3}) {
      CAPTURE(info_of(static_cast<Operation>(i)).name);
      const std::vector<float> found = apply(static_cast<Operation>(i), 0, channels);
      for (std::size_t k = 0; k < found.size(); ++k) {
        CHECK(found[k] == doctest::Approx(static_cast<float>(picture[k]) / 255).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("image operations: the geometric ones' maps") {
  // By one pixel to the left: each shows what is to its right, the last one nothing.
  const std::vector<float> moved = apply(Operation::translate_x, 331.0F / 150 / width);
  for (int h = 0; h < height; ++h) {
    for (int w = 0; w < width; ++w) {
      const int from = w + 1 < width ? picture[static_cast<std::size_t>((h * width + w + 1) * 3)] : 0;
      CHECK(moved[static_cast<std::size_t>((h * width + w) * 3)] == doctest::Approx(from / 255.0).epsilon(1e-4));
    }
  }
  // A turn, in pixels around the centre: (x, y) shows (x cos - y sin, x sin + y cos), whatever the sides are.
  const std::array<float, 6> turn = affine_of(Operation::rotate, 1, 20, 40);
  const double x = 3, y = -5, cosine = std::cos(M_PI / 6), sine = std::sin(M_PI / 6);
  CHECK(turn[0] * x / 20 + turn[1] * y / 10 == doctest::Approx((x * cosine - y * sine) / 20));
  CHECK(turn[3] * x / 20 + turn[4] * y / 10 == doctest::Approx((x * sine + y * cosine) / 10));
  // A shear moves a row by 0.3 of its distance from the centre, in pixels.
  const std::array<float, 6> shear = affine_of(Operation::shear_x, -1, 20, 40);
  CHECK(shear[0] * x / 20 + shear[1] * y / 10 == doctest::Approx((x - 0.3 * y) / 20));
  CHECK(shear[4] == 1);
}

TEST_CASE("image operations: those without a strength are elsewhere") {
  for (const Operation operation : {Operation::equalize, Operation::invert, Operation::cutout}) {
    CHECK_THROWS_AS(apply(operation, 1), Error);
  }
}

}  // namespace retort::test
