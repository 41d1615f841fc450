// A picture as the text of a URI, so that a page needs no file beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace retort {

/// RFC 4648, with padding.
std::string base64(const std::vector<std::uint8_t>& bytes);

/// "data:image/png;base64,..." of a row of the split. Pictures with a side above `largest` pixels are reduced, by means
/// over squares of pixels.
std::string picture_uri(const Dataset& data, const ImageSplit& split, int row, int largest);

}  // namespace retort
