// Sums, products and square roots in double, and no libm while drawing, so that every machine draws the same bytes (the
// file is compiled without fused multiply-adds). FROZEN: tests pin a checksum; results depend on it.
#include "data/synthetic_gaze.h"

#include <cmath>

#include "data/key_values.h"
#include "kernels/philox.h"

namespace retort {
namespace {

constexpr int kHeight = 36, kWidth = 60;
constexpr double kDegree = 3.14159265358979323846 / 180;

/// Streams of one sample (Philox's `epoch` word); persons are samples of the third split.
enum Stream : std::uint32_t { kTraits = 0, kTargetNoise = 1, kPixelNoise = 2 };
constexpr std::uint64_t kSplit = std::uint64_t{1} << 40, kPersonSplit = 2;

/// Uniform numbers, one after the other.
class Draws {
 public:
  Draws(std::uint32_t seed, std::uint64_t sample, Stream stream) : seed_(seed), sample_(sample), stream_(stream) {}
  double next() {
    if (used_ == 4) {
      words_ = philox(seed_, Purpose::synthetic_gaze, sample_, stream_, draw_++);
      used_ = 0;
    }
    return static_cast<double>(to_uniform(words_.v[used_++]));
  }
  double between(double low, double high) { return low + (high - low) * next(); }
  /// Mean 0, deviation 1: the sum of twelve uniform numbers.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += next();
    return sum;
  }

 private:
  std::uint32_t seed_;
  std::uint64_t sample_;
  Stream stream_;
  std::uint32_t draw_ = 0;
  int used_ = 4;
  Philox4 words_{};
};

/// Of an angle up to a quarter turn either way, to about 5e-7: poses stay within.
double sine(double x) {
  const double s = x * x;
  return x * (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72 * (1 - s / 110)))));
}
double cosine(double x) {
  const double s = x * x;
  return 1 - s / 2 * (1 - s / 12 * (1 - s / 30 * (1 - s / 56 * (1 - s / 90))));
}

double within(double low, double value, double high) {
  return value < low ? low : value > high ? high : value;
}

/// How much of a pixel lies on the inner side of an edge that is so far away.
double coverage(double distance) {
  return within(0, distance + 0.5, 1);
}

double mixed(double a, double b, double share_of_b) {
  return a + (b - a) * share_of_b;
}

struct Person {
  double half_width, upper, lower;  // of the opening between the lids, in pixels
  double x, y;                      // of its middle in the picture
  double ball, iris, pupil;         // radii in pixels
  double sclera, iris_shade, skin;  // brightness
  double kappa_pitch, kappa_yaw;    // gaze minus the eye's axis

  Person(std::uint32_t seed, int number) {
    Draws d(seed, kPersonSplit * kSplit + static_cast<std::uint64_t>(number), kTraits);
    half_width = d.between(20, 25);
    upper = d.between(8, 11);
    lower = d.between(5, 7);
    x = kWidth / 2.0 + d.between(-2, 2);
    y = kHeight / 2.0 + d.between(-2, 2);
    ball = d.between(22, 26);
    iris = d.between(7, 9);
    pupil = iris * d.between(0.35, 0.55);
    sclera = d.between(190, 235);
    iris_shade = d.between(50, 130);
    skin = d.between(100, 190);
    kappa_pitch = d.between(-1, 1) * kDegree;
    kappa_yaw = d.between(-2, 2) * kDegree;
  }
};

struct Pose {
  double head_pitch, head_yaw;  // radians
  double eye_pitch, eye_yaw;    // of the eye in the head
  double closure;               // 0: open
  double light, slope;          // brightness, and how it changes from left to right
  double glint_x, glint_y;      // from the middle of the iris

  explicit Pose(Draws& d) {
    head_pitch = d.between(-20, 20) * kDegree;
    head_yaw = d.between(-25, 25) * kDegree;
    eye_pitch = d.between(-15, 15) * kDegree;
    eye_yaw = d.between(-25, 25) * kDegree;
    closure = d.next();
    closure *= closure;  // mostly open
    light = d.between(0.7, 1.15);
    slope = d.between(-0.25, 0.25);
    glint_x = d.between(-2.5, 2.5);
    glint_y = d.between(-3, 0);
  }
};

/// Brightness at a place in the picture, before light and noise.
double shade(const Person& p, const Pose& pose, double column, double row) {
  // A turned head shortens the eye; up is positive.
  const double x = (column - p.x) / cosine(pose.head_yaw);
  const double y = (p.y - row + 12 * sine(pose.head_pitch)) / cosine(pose.head_pitch);
  const double across = x / p.half_width, arch = 1 - across * across;
  const double lid = (p.upper - (p.upper + 0.5 * p.lower) * pose.closure) * arch, floor = -p.lower * arch;
  const double crease = y - lid - 3, lash = y - lid - 0.6;
  double around = p.skin * (1 - 0.22 / (1 + crease * crease / 2));
  if (arch > 0) around *= 1 - 0.6 / (1 + lash * lash * 2);

  const double iris_x = p.ball * sine(pose.eye_yaw) * cosine(pose.eye_pitch), iris_y = p.ball * sine(pose.eye_pitch);
  const double dx = x - iris_x, dy = y - iris_y, distance = std::sqrt(dx * dx + dy * dy);
  double eye = p.sclera * (1 - 0.2 * across * across);
  eye = mixed(eye, p.iris_shade * (1.15 - 0.3 * within(0, distance / p.iris, 1)), coverage(p.iris - distance));
  eye = mixed(eye, 20, coverage(p.pupil - distance));
  const double gx = dx - pose.glint_x, gy = dy + pose.glint_y;
  eye = mixed(eye, 250, coverage(1.4 - std::sqrt(gx * gx + gy * gy)));
  const double open = arch > 0 ? coverage(lid - y) * coverage(y - floor) : 0;
  return mixed(around, eye, open);
}

void add_sample(const SyntheticGazeOptions& options, const Person& person, std::uint64_t number, bool is_test,
                ImageSplit& split) {
  Draws traits(options.seed, number, kTraits), target_noise(options.seed, number, kTargetNoise),
      pixel_noise(options.seed, number, kPixelNoise);
  const Pose pose(traits);
  for (int row = 0; row < kHeight; ++row) {
    for (int column = 0; column < kWidth; ++column) {
      // Four points a pixel.
      double sum = 0;
      for (const double v : {0.25, 0.75}) {
        for (const double u : {0.25, 0.75}) sum += shade(person, pose, column + u, row + v);
      }
      const double light = pose.light * (1 + pose.slope * (column - kWidth / 2.0) / (kWidth / 2.0));
      // Three uniform numbers have a quarter of a normal one's twelve: their sum's deviation is a half.
      const double noise = 2 * (pixel_noise.next() + pixel_noise.next() + pixel_noise.next() - 1.5);
      const double value = sum / 4 * light + noise * (3 + 9 * pose.closure);
      split.pixels.push_back(static_cast<std::uint8_t>(within(0, value + 0.5, 255)));
    }
  }
  const double uncertain = is_test ? 0 : options.noise * gaze_noise_at(pose.closure);
  const double pitch = pose.head_pitch + pose.eye_pitch + person.kappa_pitch + uncertain * target_noise.normal();
  const double yaw = pose.head_yaw + pose.eye_yaw + person.kappa_yaw + uncertain * target_noise.normal();
  split.targets.push_back(static_cast<float>(pitch));
  split.targets.push_back(static_cast<float>(yaw));
  split.auxiliary.push_back(static_cast<float>(pose.head_pitch));
  split.auxiliary.push_back(static_cast<float>(pose.head_yaw));
  split.difficulty.push_back(static_cast<float>(pose.closure));
}

ImageSplit make_split(const SyntheticGazeOptions& options, std::uint64_t which, int count) {
  std::vector<Person> persons;
  for (int i = 0; i < SyntheticGazeOptions::kPersons; ++i) {
    if ((i == options.person) == (which == 1)) persons.emplace_back(options.seed, i);
  }
  ImageSplit split;
  split.target_width = split.auxiliary_width = 2;
  split.pixels.reserve(static_cast<std::size_t>(count) * kHeight * kWidth);
  for (int i = 0; i < count; ++i) {
    add_sample(options, persons[static_cast<std::size_t>(i) % persons.size()],
               which * kSplit + static_cast<std::uint64_t>(i), which == 1, split);
  }
  return split;
}

}  // namespace

double gaze_noise_at(double closure) {
  return (0.5 + 6 * closure) * kDegree;
}

SyntheticGazeOptions parse_synthetic_gaze(const std::string& text) {
  SyntheticGazeOptions options;
  for (const KeyValue& option : key_values("gaze-synthetic", text)) {
    if (option.key == "train") {
      options.train = option.number(1, 1'000'000);
    } else if (option.key == "test") {
      options.test = option.number(1, 1'000'000);
    } else if (option.key == "person") {
      options.person = option.number(0, SyntheticGazeOptions::kPersons - 1);
    } else if (option.key == "seed") {
      options.seed = option.number<std::uint32_t>(0, 0xffffffffU);
    } else if (option.key == "noise") {
      options.noise = option.number(0.0F, 100.0F);
    } else {
      option.refuse("train=N, test=N, person=0..14, seed=N, noise=FACTOR");
    }
  }
  return options;
}

Dataset make_synthetic_gaze(const SyntheticGazeOptions& options) {
  Dataset dataset;
  dataset.name = "gaze-synthetic";
  dataset.height = kHeight;
  dataset.width = kWidth;
  dataset.channels = 1;
  dataset.targets_are_angles = true;
  dataset.train = make_split(options, 0, options.train);
  dataset.test = make_split(options, 1, options.test);
  validate(dataset);
  measure_normalisation(dataset);
  dataset.checksum = checksum_of(dataset);
  return dataset;
}

}  // namespace retort
