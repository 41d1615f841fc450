#include "distill/report/data_uri.h"

#include <algorithm>

#include "data/write.h"

namespace retort {

std::string base64(const std::vector<std::uint8_t>& bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t there = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) three = three << 8U | (k < there ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= there ? digits[three >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

std::string picture_uri(const Dataset& data, const ImageSplit& split, int row, int largest) {
  const std::uint8_t* pixels = split.pixels.data() + static_cast<std::size_t>(row) * data.image_bytes();
  const int side = std::max(data.height, data.width), factor = (side + largest - 1) / largest;
  const int height = std::max(1, data.height / factor), width = std::max(1, data.width / factor),
            channels = data.channels;
  std::vector<std::uint8_t> small;
  small.reserve(static_cast<std::size_t>(height * width * channels));
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        int sum = 0, count = 0;
        for (int v = y * factor; v < std::min(data.height, (y + 1) * factor); ++v) {
          for (int u = x * factor; u < std::min(data.width, (x + 1) * factor); ++u, ++count) {
            sum += pixels[(v * data.width + u) * channels + c];
          }
        }
        small.push_back(static_cast<std::uint8_t>((sum + count / 2) / count));
      }
    }
  }
  return "data:image/png;base64," + base64(encode_png(data.name, small.data(), height, width, channels));
}

}  // namespace retort
