// A folder of PNG and JPEG files, one folder a class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace retort {

struct Picture {
  int height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;  ///< (H, W, C), C 1 or 3
};

/// Decodes a PNG or JPEG held in memory; alpha is dropped, 16 bits become 8. Error(input) starting with `name` for
/// anything that does not decode, is over 64 megapixels, or has a side over 32768 pixels.
Picture decode_picture(const std::uint8_t* bytes, std::size_t size, const std::string& name);

/// The largest centred square of the picture, brought to size x size by area averaging (bilinear where it is enlarged).
Picture fit_square(const Picture& picture, int size);

/// folder/train/CLASS/* and folder/test/CLASS/*, or folder/CLASS/* alone: then every class gives its 10th, 20th, ...
/// image (in order of file names; the last one if it has 2 to 9) to the test split. Files other than .png, .jpg and .jpeg are ignored. Grey stays one
/// channel if every image is grey. Order: class by name, then file by name.
Dataset load_image_folder(const std::string& folder, int size);

}  // namespace retort
