// A split of a data set in device memory, and the batches that are made from it there.
#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "engine/context.h"
#include "kernels/augmentation.h"
#include "kernels/blend.h"
#include "kernels/step_state.h"

namespace retort {

/// One batch on the device. Classification fills `labels`, regression `targets`; what a set does not have is empty.
struct Batch {
  int rows = 0;         ///< valid rows; every tensor has exactly that many
  Tensor images;        // (N, H, W, C) normalised, in the context's activation dtype
  Tensor labels;        // (N) i32
  Tensor targets;       // (N, D) f32
  Tensor auxiliary;     // (N, A) f32
  Tensor samples;       // (N) i32 rows of the split
  Tensor weights;       // (N) f32 loss weights, or empty for 1
};

struct Augmentation {
  int crop_padding = 0;
  bool flip = false;
  MixRule mix;  ///< `partners` is the data set's to fill in
  bool any() const { return crop_padding > 0 || flip || mix.kind != MixKind::none; }
};

class DeviceDataset {
 public:
  /// Copies the split to the context's device. Normalisation is the data set's.
  DeviceDataset(Context& context, const Dataset& dataset, const ImageSplit& split);

  int count() const { return count_; }
  /// From now on images are normalised as this data set says.
  void set_normalisation(const Dataset& dataset);
  /// Loss weights, one a sample of the split; an empty vector means 1.
  void set_weights(const std::vector<float>& weights);

  /// The batch of those rows, augmented for the epoch and seed in `state` (device memory).
  Batch batch(const Tensor& samples, const Augmentation& augmentation, const StepState* state);
  /// The same with images as numbers in [0, 1] in f32, not normalised yet.
  Batch raw_batch(const Tensor& samples, const Augmentation& augmentation, const StepState* state);
  /// What makes normalised images of those.
  ChannelMap normalisation() const;
  /// The same as the first from row numbers on the host.
  Batch batch(const std::int32_t* samples, int rows, const Augmentation& augmentation, const StepState* state);

 private:
  /// Of the levels' values.
  Batch gather(const Tensor& samples, const Augmentation& augmentation, const StepState* state, const ChannelMap& map,
               DType dtype);

  Context& context_;
  int count_ = 0;
  int height_ = 0, width_ = 0, channels_ = 0;
  ChannelMap map_;  ///< from levels 0 to 255 to what networks see
  int target_width_ = 0, auxiliary_width_ = 0;
  DeviceBlock images_, labels_, targets_, auxiliary_, weights_;
};

/// The rows 0..n-1 (or those of `subset`, if not empty) in the order of an epoch: sorted by
/// Philox(seed, shuffle; row, epoch), so that a resume needs no stored permutation.
std::vector<std::int32_t> epoch_order(int n, const std::vector<std::int32_t>& subset, std::uint32_t seed,
                                      std::uint32_t epoch, bool shuffle);

}  // namespace retort
