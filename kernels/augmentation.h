// From the data set to a training batch in one kernel: its uint8 images gathered, randomly cropped and flipped, mixed
// in pairs, normalised and converted, and whatever else there is of each sample. Targets, weights and other numbers of
// a mixture are those of the sample itself, whatever its partner's are; a label it has none.
#pragma once

#include "kernels/regulation.h"
#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

/// How two images become one: mixup (arXiv:1710.09412) adds them, cutmix (arXiv:1905.04899) puts a box of one into the
/// other; either: each by half a chance.
enum class MixKind : std::uint8_t { none, mixup, cutmix, either };

/// Samples beyond the data set (XCL, arXiv:2007.00051): a sample mixed with another one of the set, both cropped and
/// flipped as they would be alone.
struct MixRule {
  static constexpr int kLargestBeta = 8;
  MixKind kind = MixKind::none;
  float share = 0;   ///< of samples that are mixed, another draw each epoch
  int beta = 1;      ///< k: the sample's own part is drawn from Beta(k, k). 1: uniform; more: nearer to a half
  int partners = 0;  ///< samples of the data set; a sample's partner is any of them but itself
};

struct AugmentShape {
  int rows = 0;
  int height = 0, width = 0, channels = 0;
  int out_channels = 0;      ///< >= channels; the rest is zero
  int crop_padding = 0;      ///< zero padding (before normalisation: pixel value 0 maps to `pad_value`) on each side
  bool flip = false;         ///< horizontal, with probability 1/2
  DType dtype = DType::f32;  ///< of the output
  float scale[4] = {1, 1, 1, 1};  ///< per channel: out = pixel * scale + shift
  float shift[4] = {0, 0, 0, 0};
  MixRule mix;
};

/// Numbers of each sample: targets, loss weights.
struct FloatColumn {
  const float* from = nullptr;  // (data set, width), or null: there are none
  float* to = nullptr;          // (rows, width)
  int width = 0;
};

/// What a batch takes along beside the images.
struct BatchColumns {
  static constexpr int kFloats = 3;
  const std::int32_t* labels_from = nullptr;  // (data set), or null: all are 0
  std::int32_t* labels = nullptr;             // (rows), no_label of a mixture; or null: none are wanted
  FloatColumn floats[kFloats];
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// Crop and flip of a sample come from Philox(seed, augment; sample, epoch, 0): word 0 the row offset, word 1 the
  /// column offset, each below 2 crop_padding + 1, bit 31 of word 2 the flip. Pixels outside the image are black, as
  /// torchvision's RandomCrop on the raw image: they become 0 * scale + shift.
  ///
  /// Mixtures come from Philox(seed, mix; sample, epoch, draw). Of draw 0, word 0 is below the share where the sample
  /// is mixed; word 1 is the partner, below partners - 1 and one more from the sample on; bit 31 of word 2 chooses
  /// cutmix under `either`, its other bits the row and word 3 the column of the box's middle. Draws 1, 2, ... hold the
  /// 2 beta - 1 uniform numbers, four each, whose median is the sample's part.
  void gather_augment(const Launch& launch, const AugmentShape& shape,
                      const std::uint8_t* images,     // (data set, H, W, C)
                      const std::int32_t* samples,    // (rows)
                      const BatchColumns& columns,    // row i of each is that of samples[i]
                      const StepState* state,
                      void* out);                     // (rows, H, W, out_channels)

  void gather_floats(const Launch& launch, int rows, int width, const float* values, const std::int32_t* samples,
                     float* out);                     // out[i][:] = values[samples[i]][:]
)
// clang-format on
