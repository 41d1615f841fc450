#include "data/image_folder.h"
#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run([&] {
    const Picture picture = decode_picture(data, size, fuzz::file_name);
    fuzz::require(picture.height > 0 && picture.width > 0 && (picture.channels == 1 || picture.channels == 3),
                  "an impossible picture");
    const auto count = std::size_t{1} * static_cast<std::size_t>(picture.height) *
                       static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
    fuzz::require(picture.pixels.size() == count, "size and pixels");
    fuzz::require(fit_square(picture, 8).pixels.size() == 64U * static_cast<std::size_t>(picture.channels), "fitted");
  });
}
