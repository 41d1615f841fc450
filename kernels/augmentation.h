// From the data set to a training batch in one kernel: its uint8 images gathered, randomly cropped and flipped, normalised
// and converted, and whatever else there is of each sample.
#pragma once

#include "kernels/step_state.h"
#include "kernels/types.h"

namespace retort {

struct AugmentShape {
  int rows = 0;
  int height = 0, width = 0, channels = 0;
  int out_channels = 0;      ///< >= channels; the rest is zero
  int crop_padding = 0;      ///< zero padding (before normalisation: pixel value 0 maps to `pad_value`) on each side
  bool flip = false;         ///< horizontal, with probability 1/2
  DType dtype = DType::f32;  ///< of the output
  float scale[4] = {1, 1, 1, 1};  ///< per channel: out = pixel * scale + shift
  float shift[4] = {0, 0, 0, 0};
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
  const std::int32_t* labels_from = nullptr;  // (data set), or null: there are none
  std::int32_t* labels = nullptr;             // (rows)
  FloatColumn floats[kFloats];
};

}  // namespace retort

// clang-format off
RETORT_KERNELS(
  /// Crop and flip of a sample come from Philox(seed, augment; sample, epoch, 0): word 0 the row offset, word 1 the
  /// column offset, each below 2 crop_padding + 1, bit 31 of word 2 the flip. Pixels outside the image are black, as
  /// torchvision's RandomCrop on the raw image: they become 0 * scale + shift.
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
