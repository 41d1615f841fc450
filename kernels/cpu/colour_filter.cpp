// Image by image, in planes with a margin of zeros, so that the inner loops go along rows without a branch.
#include "kernels/colour_filter.h"

#include <algorithm>

#include "kernels/cpu/parallel.h"
#include "kernels/error.h"

namespace retort::cpu {
namespace {

constexpr int kSide = ColourFilterShape::kSide, kMargin = ColourFilterShape::kMargin;
constexpr std::int64_t kImagesPerChunk = 4;  // a chunk has its own sums of weight gradients

std::int64_t image_numbers(const ColourFilterShape& shape) {
  return std::int64_t{shape.height} * shape.width * shape.channels;
}

/// The channels of one image, each (H + 4, W + 4).
class Planes {
 public:
  static std::int64_t size(const ColourFilterShape& shape) {
    return std::int64_t{shape.channels} * (shape.height + 2 * kMargin) * (shape.width + 2 * kMargin);
  }

  Planes(const ColourFilterShape& shape, float* values)
      : shape_(shape), stride_(shape.width + 2 * kMargin), values_(values) {
    std::fill_n(values, size(shape), 0.0F);
  }

  /// scale times the image plus shift; without an image, 1 everywhere.
  void fill(const float* image, float scale, float shift) {
    for (int c = 0; c < shape_.channels; ++c) {
      for (int h = 0; h < shape_.height; ++h) {
        float* to = row(c, h + kMargin) + kMargin;
        for (int w = 0; w < shape_.width; ++w) {
          to[w] = image == nullptr ? 1.0F : scale * image[(h * shape_.width + w) * shape_.channels + c] + shift;
        }
      }
    }
  }
  float* row(int c, int h) const { return values_ + (c * (shape_.height + 2 * kMargin) + h) * stride_; }

  /// Row h of output channel o.
  void convolve(const float* weight, int o, int h, float* out) const {
    std::fill_n(out, shape_.width, 0.0F);
    for (int dy = 0; dy < kSide; ++dy) {
      for (int dx = 0; dx < kSide; ++dx) {
        for (int c = 0; c < shape_.channels; ++c) {
          const float own = weight[((o * kSide + dy) * kSide + dx) * shape_.channels + c];
          const float* from = row(c, h + dy) + dx;
          for (int w = 0; w < shape_.width; ++w) out[w] += own * from[w];
        }
      }
    }
  }

 private:
  const ColourFilterShape& shape_;
  int stride_;
  float* values_;
};

/// The workspace: sums of weight gradients of every chunk, what becomes of an image of ones, and what every chunk works
/// in. Forward uses the last alone.
class Scratch {
 public:
  Scratch(const ColourFilterShape& shape, void* workspace)
      : shape_(shape),
        chunks_(std::max<std::int64_t>(1, chunk_count(shape.rows, kImagesPerChunk))),
        sums_(static_cast<double*>(workspace)),
        floats_(static_cast<float*>(workspace) + 2 * sum_count()) {}

  std::size_t bytes() const {
    return static_cast<std::size_t>(sum_count()) * sizeof(double) +
           static_cast<std::size_t>(image_numbers(shape_) + chunks_ * chunk_floats()) * sizeof(float);
  }
  double* sums(std::int64_t chunk) const { return sums_ + chunk * shape_.weights(); }
  float* of_ones() const { return floats_; }
  float* gradient(std::int64_t chunk) const { return floats_ + image_numbers(shape_) + chunk * chunk_floats(); }
  float* planes(std::int64_t chunk) const { return gradient(chunk) + image_numbers(shape_); }
  float* line(std::int64_t chunk) const { return planes(chunk) + Planes::size(shape_); }

 private:
  std::int64_t sum_count() const { return shape_.weight_gradient ? chunks_ * shape_.weights() : 0; }
  std::int64_t chunk_floats() const { return image_numbers(shape_) + Planes::size(shape_) + shape_.width; }

  const ColourFilterShape& shape_;
  std::int64_t chunks_;
  double* sums_;
  float* floats_;
};

Scratch scratch_of(const Launch& launch, const ColourFilterShape& shape) {
  const Scratch scratch(shape, launch.workspace);
  RETORT_CHECK_AS(ErrorKind::internal, launch.workspace_bytes >= scratch.bytes(), "a colour filter has ",
                  launch.workspace_bytes, " bytes of workspace and needs ", scratch.bytes());
  return scratch;
}

/// In eight sums side by side, as vector units add.
float dot(const float* a, const float* b, int n) {
  float lanes[8] = {};
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int j = 0; j < 8; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// (H, W, C) to (C, H, W).
void to_planes(const ColourFilterShape& shape, const float* image, float* planes) {
  const int pixels = shape.height * shape.width;
  for (int c = 0; c < shape.channels; ++c) {
    for (int p = 0; p < pixels; ++p) planes[c * pixels + p] = image[p * shape.channels + c];
  }
}

/// What the convolution makes of an image of ones, (C, H, W).
void filter_ones(const ColourFilterShape& shape, const float* weight, const Scratch& scratch) {
  Planes ones(shape, scratch.planes(0));  // of the first chunk, which starts later
  ones.fill(nullptr, 0, 0);
  for (int o = 0; o < shape.channels; ++o) {
    for (int h = 0; h < shape.height; ++h) {
      ones.convolve(weight, o, h, scratch.of_ones() + (std::int64_t{o} * shape.height + h) * shape.width);
    }
  }
}

/// The convolution is linear: y = s U + t B with U that of the image and B that of 1 inside of it.
void scale_shift_gradient(const ColourFilterShape& shape, const Planes& image, const float* weight,
                          const float* gradient, const float* of_ones, float* line, float* dscale_shift) {
  double to_scale = 0, to_shift = 0;
  for (int o = 0; o < shape.channels; ++o) {
    for (int h = 0; h < shape.height; ++h) {
      const std::int64_t first = (std::int64_t{o} * shape.height + h) * shape.width;
      image.convolve(weight, o, h, line);
      to_scale += dot(gradient + first, line, shape.width);
      to_shift += dot(gradient + first, of_ones + first, shape.width);
    }
  }
  dscale_shift[0] = static_cast<float>(to_scale);
  dscale_shift[1] = static_cast<float>(to_shift);
}

/// Adds what one image, already scaled and shifted, gives to the weights.
void add_weight_gradient(const ColourFilterShape& shape, const Planes& image, const float* gradient, double* sum) {
  for (int o = 0; o < shape.channels; ++o) {
    for (int tap = 0; tap < kSide * kSide; ++tap) {
      for (int c = 0; c < shape.channels; ++c, ++sum) {
        for (int h = 0; h < shape.height; ++h) {
          *sum += dot(gradient + (std::int64_t{o} * shape.height + h) * shape.width,
                      image.row(c, h + tap / kSide) + tap % kSide, shape.width);
        }
      }
    }
  }
}

/// Chunk after chunk, whichever threads had them.
void add_chunks(const ColourFilterShape& shape, const Scratch& scratch, float* dweight) {
  for (int i = 0; i < shape.weights(); ++i) {
    double sum = 0;
    for (std::int64_t chunk = 0; chunk < chunk_count(shape.rows, kImagesPerChunk); ++chunk) {
      sum += scratch.sums(chunk)[i];
    }
    dweight[i] = static_cast<float>(sum);
  }
}

}  // namespace

std::size_t colour_filter_workspace(const ColourFilterShape& shape) {
  return Scratch(shape, nullptr).bytes();
}

void colour_filter_forward(const Launch& launch, const ColourFilterShape& shape, const float* x,
                           const float* scale_shift, const float* weight, float* y) {
  const Scratch scratch = scratch_of(launch, shape);
  const std::int64_t numbers = image_numbers(shape);
  for_ranges(shape.rows, kImagesPerChunk, [&](auto begin, auto end) {
    const std::int64_t chunk = begin / kImagesPerChunk;
    Planes planes(shape, scratch.planes(chunk));
    float* line = scratch.line(chunk);
    for (auto n = begin; n < end; ++n) {
      planes.fill(x + n * numbers, scale_shift[2 * n], scale_shift[2 * n + 1]);
      for (int o = 0; o < shape.channels; ++o) {
        for (int h = 0; h < shape.height; ++h) {
          planes.convolve(weight, o, h, line);
          float* to = y + n * numbers + std::int64_t{h} * shape.width * shape.channels + o;
          for (int w = 0; w < shape.width; ++w) to[w * shape.channels] = line[w];
        }
      }
    }
  });
}

void colour_filter_backward(const Launch& launch, const ColourFilterShape& shape, const float* x,
                            const float* scale_shift, const float* weight, const float* dy, float* dscale_shift,
                            float* dweight) {
  RETORT_CHECK_AS(ErrorKind::internal, dweight == nullptr || shape.weight_gradient,
                  "a colour filter's workspace has no sums of weight gradients");
  const Scratch scratch = scratch_of(launch, shape);
  const std::int64_t numbers = image_numbers(shape);
  filter_ones(shape, weight, scratch);
  for_ranges(shape.rows, kImagesPerChunk, [&](auto begin, auto end) {
    const std::int64_t chunk = begin / kImagesPerChunk;
    Planes planes(shape, scratch.planes(chunk));
    float* gradient = scratch.gradient(chunk);
    if (dweight != nullptr) std::fill_n(scratch.sums(chunk), shape.weights(), 0.0);
    for (auto n = begin; n < end; ++n) {
      const float* image = x + n * numbers;
      to_planes(shape, dy + n * numbers, gradient);
      planes.fill(image, 1, 0);
      scale_shift_gradient(shape, planes, weight, gradient, scratch.of_ones(), scratch.line(chunk),
                           dscale_shift + 2 * n);
      if (dweight == nullptr) continue;
      planes.fill(image, scale_shift[2 * n], scale_shift[2 * n + 1]);
      add_weight_gradient(shape, planes, gradient, scratch.sums(chunk));
    }
  });
  if (dweight != nullptr) add_chunks(shape, scratch, dweight);
}

}  // namespace retort::cpu
