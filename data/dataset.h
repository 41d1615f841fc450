// A data set in host memory: uint8 images in NHWC order and what is known about each of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace retort {

/// One split. Every per-sample vector is either empty (not known) or has count() rows.
struct ImageSplit {
  std::vector<std::uint8_t> pixels;  ///< (N, H, W, C)
  std::vector<std::int32_t> labels;  ///< (N), in [0, classes); empty for a regression set
  std::vector<float> targets;        ///< (N, target_width): regression targets; empty for classification
  int target_width = 0;
  std::vector<float> auxiliary;  ///< (N, auxiliary_width): features beside the image (a head pose)
  int auxiliary_width = 0;
  std::vector<float> difficulty;           ///< (N), in [0, 1]; only the built-in sets know it
  std::vector<std::int32_t> clean_labels;  ///< (N): the labels before label noise was added; empty without noise
  std::vector<std::int32_t> source;        ///< (N): row in the split as published; empty where nothing was left out

  /// Samples: rows of labels, or of targets for a regression set.
  int count() const;
  /// The row this sample has in the published split, whatever was selected from it.
  std::int32_t source_row(int sample) const {
    return source.empty() ? sample : source[static_cast<std::size_t>(sample)];
  }
};

struct Dataset {
  std::string name;
  int height = 0, width = 0, channels = 0;
  int classes = 0;  ///< 0 for a regression set
  bool targets_are_angles = false;  ///< pitch and yaw of a direction, in radians
  ImageSplit train, test;
  std::vector<std::string> class_names;  ///< `classes` of them, or none
  std::array<float, 3> mean{0, 0, 0};    ///< per channel, of pixels / 255; channels not there repeat channel 0
  std::array<float, 3> std{1, 1, 1};
  std::string checksum;  ///< checksum_of(*this): "train:xxxxxxxx test:xxxxxxxx"
  int crop_padding = 0;  ///< the set's default augmentation: random crop after zero padding,
  bool flip = false;     ///< and horizontal flip

  std::size_t image_bytes() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  }
};

struct LoadOptions {
  std::uint32_t seed = 1;   ///< of the validation split and the random subset (built-in sets have their own seed=)
  int val_split = 0;        ///< N > 0: N random training images become the test split, the published one is dropped
  int limit = 0;            ///< N > 0: then the first N training images only
  int limit_test = 0;       ///< N > 0: the first N test images only
  std::string subset = {};  ///< then random training images: "5000", "0.1", "10%" or "20/class"; empty: all
  int folder_size = 32;     ///< `folder` only: height and width every image is brought to
};

/// Loads by "NAME:PATH" (mnist, fashion-mnist, cifar10, cifar100, folder, mpiigaze), "synthetic[:key=value,...]"
/// (train, test, classes, seed, noise) or "gaze-synthetic[:key=value,...]" (train, test, person, seed, noise), then
/// applies the selections of the options in the order listed there. "folder:PATH,size=64" overrides folder_size;
/// "mpiigaze:PATH,person=3" leaves another person out. Throws Error: `usage` for an unknown name or option, `input` for
/// missing or damaged files (one line that names the file and what was expected).
Dataset load_dataset(const std::string& spec, const LoadOptions& options = {});

/// The names load_dataset knows.
const std::vector<std::string>& dataset_names();

/// "train:xxxxxxxx test:xxxxxxxx": crc32 of pixels, labels, targets and auxiliary rows of each split, in this order.
std::string checksum_of(const Dataset& dataset);

/// Sets mean and std from the training pixels (of value / 255; at least 1/255 so that a flat channel divides).
void measure_normalisation(Dataset& dataset);

/// Throws Error(input) unless sizes agree and every label lies in [0, classes). Every loader and built-in set calls it.
void validate(const Dataset& dataset);

}  // namespace retort
