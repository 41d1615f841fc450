// Crop, flip and normalisation by their definition.
#pragma once

#include <algorithm>
#include <cmath>

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

/// What a sample is mixed with: `share` of it in every pixel, or outside of a box.
struct Mixture {
  bool mixed = false, cut = false;
  std::uint64_t partner = 0;
  double share = 1;
  int top = 0, left = 0, bottom = 0, right = 0;
};

inline Mixture mixture(const AugmentShape& s, const StepState& state, std::uint64_t sample) {
  Mixture m;
  if (s.mix.kind == MixKind::none) return m;
  const Counter words = random_words(state.seed, 10, sample, state.epoch, 0);
  m.mixed = uniform(words[0]) < s.mix.share;
  const auto samples = static_cast<std::uint64_t>(s.mix.partners);
  m.partner = sample;
  if (samples > 1) {  // the others in order, without the sample
    m.partner = words[1] * (samples - 1) >> 32;
    if (m.partner >= sample) ++m.partner;
  }
  m.cut = s.mix.kind == MixKind::cutmix || (s.mix.kind == MixKind::either && words[2] >> 31 == 1);
  Values draws;
  for (int i = 0; i < 2 * s.mix.beta - 1; ++i) {
    draws.push_back(uniform(random_words(state.seed, 10, sample, state.epoch, 1 + i / 4)[i % 4]));
  }
  std::sort(draws.begin(), draws.end());
  m.share = draws[draws.size() / 2];
  const auto side = [&](int whole) {
    return static_cast<int>(static_cast<float>(whole) * std::sqrt(1 - static_cast<float>(m.share)));
  };
  const int row = static_cast<int>((words[2] & 0x7fffffff) * static_cast<std::uint64_t>(s.height) >> 31);
  const int column = static_cast<int>(words[3] * static_cast<std::uint64_t>(s.width) >> 32);
  m.top = std::clamp(row - side(s.height) / 2, 0, s.height);
  m.bottom = std::clamp(row - side(s.height) / 2 + side(s.height), 0, s.height);
  m.left = std::clamp(column - side(s.width) / 2, 0, s.width);
  m.right = std::clamp(column - side(s.width) / 2 + side(s.width), 0, s.width);
  return m;
}

inline Values gather_augment(const AugmentShape& s, const Values& images, const Values& samples,
                             const StepState& state) {
  Values out;
  for (const double number : samples) {
    const std::uint64_t sample = static_cast<std::uint64_t>(number);
    const Placement p = placement(s, state, sample);
    const Mixture m = mixture(s, state, sample);
    const Placement q = placement(s, state, m.partner);
    const auto brightness = [&](int h, int w, int c) {
      const double own = source_pixel(s, p, images, sample, h, w, c);
      if (!m.mixed) return own;
      const double other = source_pixel(s, q, images, m.partner, h, w, c);
      if (!m.cut) return m.share * own + (1 - m.share) * other;
      return h >= m.top && h < m.bottom && w >= m.left && w < m.right ? other : own;
    };
    for (int h = 0; h < s.height; ++h)
      for (int w = 0; w < s.width; ++w)
        for (int c = 0; c < s.out_channels; ++c)
          out.push_back(c < s.channels ? brightness(h, w, c) * s.scale[c] + s.shift[c] : 0);
  }
  return out;
}

}  // namespace retort::reference
