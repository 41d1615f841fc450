// Crop, flip and normalisation by their definition.
#pragma once

#include "kernels/augmentation.h"
#include "tests/reference/philox.h"
#include "tests/reference/values.h"

namespace retort::reference {

struct Placement {
  int row = 0, column = 0;  // of the crop in the padded image
  bool flip = false;
};

inline Placement placement(const AugmentShape& s, const StepState& state, std::uint64_t sample) {
  const Counter words = random_words(state.seed, 3, sample, state.epoch, 0);
  const std::uint64_t choices = 2 * s.crop_padding + 1;
  return {static_cast<int>(words[0] * choices >> 32), static_cast<int>(words[1] * choices >> 32),
          s.flip && words[2] >> 31 == 1};
}

/// The pixel value (0..255) that lands at (h, w) of the output: the crop is taken first and flipped then.
inline double source_pixel(const AugmentShape& s, const Placement& p, const Values& images, std::uint64_t sample, int h,
                           int w, int channel) {
  const int row = h + p.row - s.crop_padding;
  const int column = (p.flip ? s.width - 1 - w : w) + p.column - s.crop_padding;
  if (row < 0 || row >= s.height || column < 0 || column >= s.width) return 0;
  return images[((sample * s.height + row) * s.width + column) * s.channels + channel];
}

inline Values gather_augment(const AugmentShape& s, const Values& images, const Values& samples,
                             const StepState& state) {
  Values out;
  for (const double number : samples) {
    const std::uint64_t sample = static_cast<std::uint64_t>(number);
    const Placement p = placement(s, state, sample);
    for (int h = 0; h < s.height; ++h)
      for (int w = 0; w < s.width; ++w)
        for (int c = 0; c < s.out_channels; ++c)
          out.push_back(c < s.channels ? source_pixel(s, p, images, sample, h, w, c) * s.scale[c] + s.shift[c] : 0);
  }
  return out;
}

}  // namespace retort::reference
