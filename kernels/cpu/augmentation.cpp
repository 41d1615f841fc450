#include "kernels/augmentation.h"

#include "kernels/augmentation_draws.h"
#include "kernels/cpu/convert.h"
#include "kernels/cpu/parallel.h"

namespace retort::cpu {
namespace {

/// kChannels > 0: that many channels in and out, known to the compiler.
template <int kChannels, typename T>
void write_sample(const AugmentShape& shape, const View& view, const std::uint8_t* image, T* out) {
  const int channels = kChannels > 0 ? kChannels : shape.channels;
  const int out_channels = kChannels > 0 ? kChannels : shape.out_channels;
  const int width = shape.width;
  T black[4];
  for (int c = 0; c < channels; ++c) black[c] = narrow<T>(0.0F * shape.scale[c] + shape.shift[c]);

  for (int i = 0; i < shape.height; ++i) {
    const int row = i + view.row_offset;
    const bool row_inside = row >= 0 && row < shape.height;
    const std::uint8_t* line = image + static_cast<std::int64_t>(row_inside ? row : 0) * width * channels;
    for (int j = 0; j < width; ++j) {
      const int column = (view.flip ? width - 1 - j : j) + view.column_offset;
      const bool inside = row_inside && column >= 0 && column < width;
      const std::uint8_t* pixel = line + (inside ? column : 0) * channels;
      for (int c = 0; c < channels; ++c) {
        out[c] = inside ? narrow<T>(static_cast<float>(pixel[c]) * shape.scale[c] + shape.shift[c]) : black[c];
      }
      for (int c = channels; c < out_channels; ++c) out[c] = T{};
      out += out_channels;
    }
  }
}

template <typename T>
void write_mixture(const AugmentShape& shape, const Mixture& mixture, const ShownImage& own, const ShownImage& partner,
                   T* out) {
  for (int i = 0; i < shape.height; ++i) {
    for (int j = 0; j < shape.width; ++j) {
      for (int c = 0; c < shape.out_channels; ++c) {
        float value = 0;
        if (c < shape.channels) {
          value = brightness_of(shape, mixture, own, partner, i, j, c) * shape.scale[c] + shape.shift[c];
        }
        *out++ = narrow<T>(value);
      }
    }
  }
}

}  // namespace

void gather_augment(const Launch& at, const AugmentShape& shape, const std::uint8_t* images,
                    const std::int32_t* samples, const BatchColumns& columns, const StepState* state, void* out) {
  RETORT_CHECK(shape.channels >= 1 && shape.channels <= 4 && shape.out_channels >= shape.channels, "images of ",
               shape.channels, " channels to ", shape.out_channels);
  const std::int64_t pixels = static_cast<std::int64_t>(shape.height) * shape.width;
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    for_ranges(shape.rows, grain_of(pixels * shape.channels), [&](auto begin, auto end) {
      for (auto i = begin; i < end; ++i) {
        const ShownImage own(shape, images, samples[i], *state);
        const Mixture mixture = mixture_of(shape, samples[i], *state);
        T* to = static_cast<T*>(out) + i * pixels * shape.out_channels;
        if (mixture.mixed) {
          write_mixture(shape, mixture, own, ShownImage(shape, images, mixture.partner, *state), to);
        } else if (shape.channels == 3 && shape.out_channels == 3) {
          write_sample<3>(shape, own.view, own.image, to);
        } else if (shape.channels == 1 && shape.out_channels == 1) {
          write_sample<1>(shape, own.view, own.image, to);
        } else {
          write_sample<0>(shape, own.view, own.image, to);
        }
      }
    });
  });
  if (columns.labels != nullptr) {
    for (int i = 0; i < shape.rows; ++i) columns.labels[i] = label_of(shape, columns, samples[i], *state);
  }
  for (const FloatColumn& c : columns.floats) {
    if (c.from != nullptr) gather_floats(at, shape.rows, c.width, c.from, samples, c.to);
  }
}

void gather_floats(const Launch&, int rows, int width, const float* values, const std::int32_t* samples, float* out) {
  for_ranges(rows, grain_of(width), [&](auto begin, auto end) {
    for (auto i = begin; i < end; ++i) {
      std::copy_n(values + static_cast<std::int64_t>(samples[i]) * width, width, out + i * width);
    }
  });
}

}  // namespace retort::cpu
