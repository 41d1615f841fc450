// From a data set of bytes to a training batch, in numbered versions: each is one idea further than the one before
// (README.md). Samples are gathered by number, cropped out of an image with a black border, flipped, normalised and
// converted; where a sample is cropped and whether it is flipped is drawn by its number (kernels/augmentation.h). All
// versions write the same bytes.
#pragma once

#include "kernels/augmentation.h"
#include "kernels/types.h"

namespace retort::lab {

struct Augment {
  AugmentShape shape;
  const std::uint8_t* images = nullptr;   // (data set, height, width, channels)
  const std::int32_t* samples = nullptr;  // (rows)
  const StepState* state = nullptr;       // seed and epoch
  void* out = nullptr;                    // (rows, height, width, out_channels), written
};

inline int pixel_count(const AugmentShape& shape) {
  return shape.height * shape.width;
}

/// The least that has to be moved: each image read, though a crop leaves some of it out, and the batch written.
inline double least_bytes(const AugmentShape& shape) {
  const double pixel = shape.channels + shape.out_channels * static_cast<double>(size_of(shape.dtype));
  return pixel * pixel_count(shape) * shape.rows;
}

struct AugmentVersion {
  const char* name;
  const char* idea;
  void (*run)(const Launch& launch, const Augment& problem);
  int pixels_multiple;   ///< an image's pixels have to be a multiple of this
  int most_image_bytes;  ///< 0: any number
};

void augment_v1(const Launch& launch, const Augment& problem);
void augment_v2(const Launch& launch, const Augment& problem);
void augment_v3(const Launch& launch, const Augment& problem);
void augment_v4(const Launch& launch, const Augment& problem);

constexpr AugmentVersion augment_versions[] = {
    {"v1", "a thread a pixel", &augment_v1, 1, 0},
    {"v2", "a thread a number", &augment_v2, 1, 0},
    {"v3", "a thread four numbers", &augment_v3, 4, 0},
    {"v4", "the image in shared memory", &augment_v4, 16, 4096},
};

inline bool takes(const AugmentVersion& version, const AugmentShape& shape) {
  return pixel_count(shape) % version.pixels_multiple == 0 &&
         (version.most_image_bytes == 0 || pixel_count(shape) * shape.channels <= version.most_image_bytes);
}

}  // namespace retort::lab
