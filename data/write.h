// Writing data sets and pictures. Every file is written under a temporary name and renamed when it is complete.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/file.h"

namespace retort {

/// CIFAR binary files in `folder` (made if missing): the CIFAR-10 layout for up to 10 classes, the CIFAR-100 layout
/// (coarse label 0) for up to 256. Error(usage) unless the images are 32x32x3. The class names go beside them.
void write_cifar(const Dataset& dataset, const std::string& folder);

/// folder/train/CLASS/00000.png and folder/test/CLASS/00000.png; a class without a name is called "class_007".
void write_image_folder(const Dataset& dataset, const std::string& folder);

/// A PNG of (height, width, channels) bytes, 1 or 3 channels. `name` stands for it in messages.
Bytes encode_png(const std::string& name, const std::uint8_t* pixels, int height, int width, int channels);

/// The same as a file. Error(output) if it cannot be written.
void write_png(const std::string& path, const std::uint8_t* pixels, int height, int width, int channels);

/// A PNG of rows x columns images side by side, enlarged `zoom` times; `samples` are rows of the split.
void write_contact_sheet(const std::string& path, const Dataset& dataset, const ImageSplit& split,
                         const std::vector<int>& samples, int columns, int zoom);

}  // namespace retort
