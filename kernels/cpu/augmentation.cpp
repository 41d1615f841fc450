#include "kernels/augmentation.h"

#include "kernels/cpu/convert.h"
#include "kernels/cpu/parallel.h"
#include "kernels/philox.h"

namespace retort::cpu {
namespace {

struct View {
  int row_offset = 0, column_offset = 0;  ///< of the output's corner in the image; negative: in the padding
  bool flip = false;
};

View view_of(const AugmentShape& shape, std::int32_t sample, const StepState& state) {
  if (shape.crop_padding == 0 && !shape.flip) return {};
  const Philox4 words = philox(state.seed, Purpose::augment, static_cast<std::uint64_t>(sample), state.epoch, 0);
  const auto offsets = static_cast<std::uint32_t>(2 * shape.crop_padding + 1);
  return {.row_offset = static_cast<int>(to_below(words.v[0], offsets)) - shape.crop_padding,
          .column_offset = static_cast<int>(to_below(words.v[1], offsets)) - shape.crop_padding,
          .flip = shape.flip && (words.v[2] >> 31) != 0};
}

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
        const View view = view_of(shape, samples[i], *state);
        const std::uint8_t* image = images + samples[i] * pixels * shape.channels;
        T* to = static_cast<T*>(out) + i * pixels * shape.out_channels;
        if (shape.channels == 3 && shape.out_channels == 3) {
          write_sample<3>(shape, view, image, to);
        } else if (shape.channels == 1 && shape.out_channels == 1) {
          write_sample<1>(shape, view, image, to);
        } else {
          write_sample<0>(shape, view, image, to);
        }
      }
    });
  });
  if (columns.labels_from != nullptr) {
    for (int i = 0; i < shape.rows; ++i) columns.labels[i] = columns.labels_from[samples[i]];
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
