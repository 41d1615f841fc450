// Integer arithmetic only, so that every machine draws the same bytes. Lengths are in 1/16 pixel, angles in 1/1024
// turn, shape coordinates in 1/1024 of the shape's radius. FROZEN: tests pin a checksum; results depend on it.
#include "data/synthetic.h"

#include <algorithm>
#include <array>

#include "data/key_values.h"
#include "kernels/error.h"
#include "kernels/philox.h"

namespace retort {

namespace {

constexpr int kSide = 32;
constexpr int kPixel = 16;   // length units in a pixel
constexpr int kUnit = 1024;  // shape units in a radius
constexpr const char* kNames[] = {"circle", "square", "triangle", "cross",     "ring",
                                  "star",   "bar",    "crescent", "hourglass", "frame"};
constexpr int kShapes = 10;
constexpr int kBox = kShapes;  // a filled rectangle: strokes and patches

/// Streams of one sample (Philox's `epoch` word).
enum Stream : std::uint32_t { kTraits = 0, kStrokes = 1, kPatches = 2, kPixelNoise = 3 };

struct Colour {
  int channel[3];
};

/// sin(angle) * 4096 by Bhaskara's rational approximation (error below 0.002): no libm.
int sine(int angle) {
  angle &= 1023;
  const int half = angle & 511;
  const int product = half * (512 - half);
  const int value = static_cast<int>(std::int64_t{4096} * 16 * product / (5 * 512 * 512 - 4 * product));
  return angle < 512 ? value : -value;
}
int cosine(int angle) {
  return sine(angle + 256);
}

/// Points are inside up to 5 half-planes n.p < c: regular polygons and the star. Counts the planes that hold.
int planes_that_hold(int u, int v, const int (*normals)[2], int planes, int offset) {
  int holding = 0;
  for (int i = 0; i < planes; ++i) holding += normals[i][0] * u + normals[i][1] * v < offset * kUnit;
  return holding;
}

bool inside(int shape, int u, int v) {
  static constexpr int triangle[3][2] = {{0, 1024}, {887, -512}, {-887, -512}};
  static constexpr int pentagon[5][2] = {{0, 1024}, {974, 316}, {602, -828}, {-602, -828}, {-974, 316}};
  const int a = u < 0 ? -u : u;
  const int b = v < 0 ? -v : v;
  const int square = u * u + v * v;
  constexpr auto squared = [](int x) { return x * x; };
  switch (shape) {
    case 0:
      return square < squared(940);
    case 1:
      return std::max(a, b) < 800;
    case 2:
      return planes_that_hold(u, v, triangle, 3, 540) == 3;
    case 3:
      return (a < 290 && b < 960) || (b < 290 && a < 960);
    case 4:
      return square < squared(980) && square > squared(600);
    case 5:
      return planes_that_hold(u, v, pentagon, 5, 370) >= 4 && square < squared(1200);
    case 6:
      return a < 1020 && b < 330;
    case 7:
      return square < squared(980) && squared(u - 440) + v * v > squared(800);
    case 8:
      return a < b && b < 880;
    case 9:
      return std::max(a, b) < 840 && std::max(a, b) > 500;
    default:
      return std::max(a, b) < kUnit;
  }
}

struct Stamp {
  int shape = kBox;
  int x = 0, y = 0;  // centre
  int radius_u = 1, radius_v = 1;
  int angle = 0;
  Colour colour{};
};

/// Blends a stamp over the image: 4x4 points a pixel decide its coverage.
void draw(const Stamp& stamp, int* image) {
  const int reach =
      (stamp.shape == kBox ? stamp.radius_u + stamp.radius_v : std::max(stamp.radius_u, stamp.radius_v) * 5 / 4);
  const int x0 = std::max(0, (stamp.x - reach) / kPixel - 1), x1 = std::min(kSide - 1, (stamp.x + reach) / kPixel + 1);
  const int y0 = std::max(0, (stamp.y - reach) / kPixel - 1), y1 = std::min(kSide - 1, (stamp.y + reach) / kPixel + 1);
  const int c = cosine(stamp.angle), s = sine(stamp.angle);
  // 4096 * 1024 / radius for each axis: a product with a length, shifted by 12, is in shape units.
  const int cu = c * kUnit / stamp.radius_u, su = s * kUnit / stamp.radius_u;
  const int cv = c * kUnit / stamp.radius_v, sv = s * kUnit / stamp.radius_v;
  for (int y = y0; y <= y1; ++y) {
    for (int x = x0; x <= x1; ++x) {
      int coverage = 0;
      for (int point = 0; point < 16; ++point) {
        const int dx = x * kPixel + 2 + 4 * (point & 3) - stamp.x;
        const int dy = y * kPixel + 2 + 4 * (point >> 2) - stamp.y;
        coverage += inside(stamp.shape, (cu * dx + su * dy) >> 12, (cv * dy - sv * dx) >> 12);
      }
      if (coverage == 0) continue;
      int* pixel = image + (y * kSide + x) * 3;
      for (int k = 0; k < 3; ++k) pixel[k] += (stamp.colour.channel[k] - pixel[k]) * coverage / 16;
    }
  }
}

/// Uniform integer in [low, high].
int between(std::uint32_t bits, int low, int high) {
  return low + static_cast<int>(to_below(bits, static_cast<std::uint32_t>(high - low + 1)));
}

/// A byte of `bits` as a number in [-128, 127].
int signed_byte(std::uint32_t bits, int index) {
  return static_cast<int>((bits >> (8 * index)) & 255U) - 128;
}

/// From `easy` at difficulty 0 to `hard` at 1024.
int ramp(int difficulty, int easy, int hard) {
  return easy + (hard - easy) * difficulty / 1024;
}

struct Generator {
  std::uint32_t seed;
  std::uint64_t sample;
  Philox4 operator()(Stream stream, int draw) const {
    return philox(seed, Purpose::synthetic, sample, stream, static_cast<std::uint32_t>(draw));
  }
};

void draw_sample(const Generator& random, int shape, int difficulty, std::uint8_t* out) {
  std::array<int, kSide * kSide * 3> image;
  const Philox4 place = random(kTraits, 1);
  const Philox4 ground = random(kTraits, 2);
  const Philox4 tint = random(kTraits, 3);

  // Background: a colour and a slope. The shape's colour is the background's plus a contrast that one channel has in
  // full and the others in part.
  Colour background, colour;
  const int contrast = ramp(difficulty, 110, 60);
  const int leading = static_cast<int>(to_below(tint.v[0], 3));
  for (int k = 0; k < 3; ++k) {
    background.channel[k] = 128 + signed_byte(ground.v[0], k) * 50 / 128;
    int share = signed_byte(tint.v[1], k);
    if (k == leading) share = share < 0 ? -128 : 128;
    colour.channel[k] = background.channel[k] + share * contrast / 128;
  }
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const int slope = (signed_byte(ground.v[1], 0) * (2 * x - 31) + signed_byte(ground.v[1], 1) * (2 * y - 31)) / 256;
      for (int k = 0; k < 3; ++k)
        image[static_cast<std::size_t>((y * kSide + x) * 3 + k)] = background.channel[k] + slope;
    }
  }

  Stamp figure;
  figure.shape = shape;
  figure.radius_u = figure.radius_v =
      between(place.v[0], ramp(difficulty, 10 * kPixel, 8 * kPixel), ramp(difficulty, 14 * kPixel, 12 * kPixel));
  const int margin = figure.radius_u;
  figure.x = between(place.v[1], margin, kSide * kPixel - margin);
  figure.y = between(place.v[2], margin, kSide * kPixel - margin);
  const int turn = ramp(difficulty, 36, 108);  // up to 13 degrees either way when easy, 38 when hard
  figure.angle = between(place.v[3], -turn, turn);
  figure.colour = colour;

  // Strokes of any colour; every third one lies over the figure, the others behind it.
  const int strokes = ramp(difficulty, 0, 6);
  const auto stroke = [&](int index) {
    const Philox4 a = random(kStrokes, 2 * index), b = random(kStrokes, 2 * index + 1);
    Stamp stamp;
    stamp.x = between(a.v[0], 0, kSide * kPixel);
    stamp.y = between(a.v[1], 0, kSide * kPixel);
    stamp.radius_u = between(a.v[2], 4 * kPixel, 11 * kPixel);
    stamp.radius_v = between(a.v[3], kPixel / 2, kPixel * 5 / 4);
    stamp.angle = static_cast<int>(b.v[0] >> 22);
    for (int k = 0; k < 3; ++k) stamp.colour.channel[k] = background.channel[k] + signed_byte(b.v[1], k) * 3 / 4;
    draw(stamp, image.data());
  };
  for (int i = 0; i < strokes; ++i) {
    if (i % 3 != 2) stroke(i);
  }
  draw(figure, image.data());
  for (int i = 2; i < strokes; i += 3) stroke(i);

  // Patches in about the background's colour, centred on the figure's rim, hide parts of it.
  const int patches = ramp(difficulty, 0, 3);
  for (int i = 0; i < patches; ++i) {
    const Philox4 a = random(kPatches, 2 * i), b = random(kPatches, 2 * i + 1);
    Stamp stamp;
    const int direction = static_cast<int>(a.v[0] >> 22);
    stamp.x = figure.x + cosine(direction) * figure.radius_u * 3 / 4 / 4096;
    stamp.y = figure.y + sine(direction) * figure.radius_u * 3 / 4 / 4096;
    stamp.radius_u = figure.radius_u * between(a.v[1], 20, ramp(difficulty, 25, 40)) / 100;
    stamp.radius_v = figure.radius_u * between(a.v[2], 20, ramp(difficulty, 25, 40)) / 100;
    stamp.angle = static_cast<int>(a.v[3] >> 22);
    for (int k = 0; k < 3; ++k) stamp.colour.channel[k] = background.channel[k] + signed_byte(b.v[0], k) / 4;
    draw(stamp, image.data());
  }

  // Noise: the sum of four bytes has deviation 148 and is close to normal.
  const int deviation = ramp(difficulty, 4, 23);
  for (int i = 0; i < kSide * kSide * 3; i += 4) {
    const Philox4 words = random(kPixelNoise, i / 4);
    for (int j = 0; j < 4; ++j) {
      const std::uint32_t w = words.v[j];
      const int sum = static_cast<int>((w & 255U) + (w >> 8 & 255U) + (w >> 16 & 255U) + (w >> 24)) - 510;
      const int value = image[static_cast<std::size_t>(i + j)] + sum * deviation / 148;
      out[i + j] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
    }
  }
}

ImageSplit make_split(const SyntheticOptions& options, std::uint64_t split, int count) {
  ImageSplit out;
  const auto n = static_cast<std::size_t>(count);
  constexpr std::size_t bytes = kSide * kSide * 3;
  out.pixels.resize(n * bytes);
  out.labels.resize(n);
  out.difficulty.resize(n);
#pragma omp parallel for schedule(static)
  for (int i = 0; i < count; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const Generator random{options.seed, split << 32 | static_cast<std::uint64_t>(i)};
    const Philox4 traits = random(kTraits, 0);
    out.labels[row] = static_cast<std::int32_t>(to_below(traits.v[0], static_cast<std::uint32_t>(options.classes)));
    out.difficulty[row] = to_uniform(traits.v[1]);
    draw_sample(random, out.labels[row], static_cast<int>(traits.v[1] >> 22), out.pixels.data() + row * bytes);
  }
  return out;
}

void add_label_noise(const SyntheticOptions& options, ImageSplit& split) {
  split.clean_labels = split.labels;
  for (std::size_t i = 0; i < split.labels.size(); ++i) {
    const Philox4 words = philox(options.seed, Purpose::label_noise, i, 0, 0);
    if (!(to_uniform(words.v[0]) < options.noise)) continue;
    const auto others = static_cast<std::uint32_t>(options.classes - 1);
    split.labels[i] = (split.labels[i] + 1 + static_cast<std::int32_t>(to_below(words.v[1], others))) % options.classes;
  }
}

}  // namespace

SyntheticOptions parse_synthetic(const std::string& text) {
  SyntheticOptions options;
  for (const KeyValue& option : key_values("synthetic", text)) {
    if (option.key == "train") {
      options.train = option.number(1, 10'000'000);
    } else if (option.key == "test") {
      options.test = option.number(1, 10'000'000);
    } else if (option.key == "classes") {
      options.classes = option.number(2, kShapes);
    } else if (option.key == "seed") {
      options.seed = option.number<std::uint32_t>(0, 0xffffffffU);
    } else if (option.key == "noise") {
      options.noise = option.number(0.0F, 0.999F);
    } else {
      option.refuse("train=N, test=N, classes=2..10, seed=N, noise=SHARE");
    }
  }
  return options;
}

Dataset make_synthetic(const SyntheticOptions& options) {
  RETORT_CHECK(options.train >= 1 && options.test >= 1 && options.classes >= 2 && options.classes <= kShapes &&
                   options.noise >= 0 && options.noise < 1,
               "synthetic: train ", options.train, ", test ", options.test, ", classes ", options.classes, ", noise ",
               options.noise, " out of range");
  Dataset dataset;
  dataset.name = "synthetic";
  dataset.height = dataset.width = kSide;
  dataset.channels = 3;
  dataset.classes = options.classes;
  dataset.class_names.assign(kNames, kNames + options.classes);
  dataset.train = make_split(options, 0, options.train);
  dataset.test = make_split(options, 1, options.test);
  if (options.noise > 0) add_label_noise(options, dataset.train);
  dataset.crop_padding = 2;
  dataset.flip = true;  // no shape has a handedness, so a mirrored one is another sample of its class
  validate(dataset);
  measure_normalisation(dataset);
  dataset.checksum = checksum_of(dataset);
  return dataset;
}

}  // namespace retort
