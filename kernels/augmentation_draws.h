// What is drawn for a sample in an epoch: where it is cropped, whether it is flipped, and what it is mixed with; and
// what follows from that for its pixels and its label. All of it is a function of (seed; sample, epoch), whatever batch
// the sample is in.
#pragma once

#include <cmath>

#include "kernels/augmentation.h"
#include "kernels/philox.h"

namespace retort {

struct View {
  int row_offset = 0, column_offset = 0;  ///< of the output's corner in the image; negative: in the padding
  bool flip = false;
};

RETORT_HOST_DEVICE inline View view_of(const AugmentShape& shape, std::int32_t sample, const StepState& state) {
  if (shape.crop_padding == 0 && !shape.flip) return {};
  const Philox4 words = philox(state.seed, Purpose::augment, static_cast<std::uint64_t>(sample), state.epoch, 0);
  const auto offsets = static_cast<std::uint32_t>(2 * shape.crop_padding + 1);
  return {static_cast<int>(to_below(words.v[0], offsets)) - shape.crop_padding,
          static_cast<int>(to_below(words.v[1], offsets)) - shape.crop_padding, shape.flip && (words.v[2] >> 31) != 0};
}

/// `share` of the sample itself, the rest of its partner: of every pixel, or (cut) of the area, where the partner shows
/// in the box.
struct Mixture {
  bool mixed = false;
  bool cut = false;
  std::int32_t partner = 0;
  float share = 1;
  int top = 0, left = 0, bottom = 0, right = 0;

  RETORT_HOST_DEVICE bool in_box(int row, int column) const {
    return row >= top && row < bottom && column >= left && column < right;
  }
};

/// Beta(k, k), as the median of 2 k - 1 uniform numbers is distributed.
RETORT_HOST_DEVICE inline float draw_beta(int k, std::uint32_t seed, std::uint64_t sample, std::uint32_t epoch) {
  float lowest[MixRule::kLargestBeta] = {};  // the k lowest so far, in order
  int kept = 0;
  for (int i = 0; i < 2 * k - 1; i += 4) {
    const Philox4 words = philox(seed, Purpose::mix, sample, epoch, static_cast<std::uint32_t>(1 + i / 4));
    for (int j = 0; j < 4 && i + j < 2 * k - 1; ++j) {
      const float value = to_uniform(words.v[j]);
      int place = kept < k ? kept++ : k;
      for (; place > 0 && lowest[place - 1] > value; --place) {
        if (place < k) lowest[place] = lowest[place - 1];
      }
      if (place < k) lowest[place] = value;
    }
  }
  return lowest[k - 1];
}

/// Any sample but this one; of a single one, itself.
RETORT_HOST_DEVICE inline std::int32_t partner_of(std::int32_t sample, int samples, std::uint32_t bits) {
  if (samples < 2) return sample;
  const auto drawn = static_cast<std::int32_t>(to_below(bits, static_cast<std::uint32_t>(samples - 1)));
  return drawn + (drawn >= sample ? 1 : 0);
}

RETORT_HOST_DEVICE inline Mixture mixture_of(const AugmentShape& shape, std::int32_t sample, const StepState& state) {
  const MixRule& rule = shape.mix;
  Mixture out;
  if (rule.kind == MixKind::none) return out;
  const auto number = static_cast<std::uint64_t>(sample);
  const Philox4 words = philox(state.seed, Purpose::mix, number, state.epoch, 0);
  if (to_uniform(words.v[0]) >= rule.share) return out;
  out.mixed = true;
  out.partner = partner_of(sample, rule.partners, words.v[1]);
  out.cut = rule.kind == MixKind::cutmix || (rule.kind == MixKind::either && (words.v[2] >> 31) != 0);
  out.share = draw_beta(rule.beta, state.seed, number, state.epoch);
  if (!out.cut) return out;
  // A box of the partner's share of the area around a point anywhere; what leaves the image is lost (arXiv:1905.04899).
  const float side = std::sqrt(1.0F - out.share);
  const int height = static_cast<int>(static_cast<float>(shape.height) * side);
  const int width = static_cast<int>(static_cast<float>(shape.width) * side);
  const int row = static_cast<int>((words.v[2] & 0x7fffffffU) * static_cast<std::uint64_t>(shape.height) >> 31);
  const int column = static_cast<int>(to_below(words.v[3], static_cast<std::uint32_t>(shape.width)));
  const auto inside = [](int value, int size) { return value < 0 ? 0 : value > size ? size : value; };
  out.top = inside(row - height / 2, shape.height);
  out.left = inside(column - width / 2, shape.width);
  out.bottom = inside(row - height / 2 + height, shape.height);
  out.right = inside(column - width / 2 + width, shape.width);
  return out;
}

RETORT_HOST_DEVICE inline std::int32_t label_of(const AugmentShape& shape, const BatchColumns& columns,
                                                std::int32_t sample, const StepState& state) {
  if (mixture_of(shape, sample, state).mixed) return no_label;
  return columns.labels_from != nullptr ? columns.labels_from[sample] : 0;
}

/// An image of the data set as its own crop and flip show it.
struct ShownImage {
  const std::uint8_t* image;
  View view;

  RETORT_HOST_DEVICE ShownImage(const AugmentShape& shape, const std::uint8_t* images, std::int32_t sample,
                                const StepState& state)
      : image(images + std::int64_t{sample} * shape.height * shape.width * shape.channels),
        view(view_of(shape, sample, state)) {}

  /// Brightness (0..255) at a place of the output; the padding is black.
  RETORT_HOST_DEVICE float at(const AugmentShape& shape, int line, int j, int c) const {
    const int row = line + view.row_offset;
    const int column = (view.flip ? shape.width - 1 - j : j) + view.column_offset;
    const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
    return inside ? static_cast<float>(image[(row * shape.width + column) * shape.channels + c]) : 0.0F;
  }
};

/// The same of a mixture.
RETORT_HOST_DEVICE inline float brightness_of(const AugmentShape& shape, const Mixture& mixture, const ShownImage& own,
                                              const ShownImage& partner, int line, int j, int c) {
  if (mixture.cut) return (mixture.in_box(line, j) ? partner : own).at(shape, line, j, c);
  return mixture.share * own.at(shape, line, j, c) + (1 - mixture.share) * partner.at(shape, line, j, c);
}

}  // namespace retort
