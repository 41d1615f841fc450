#include "data/image_folder.h"

#include <stb/stb_image.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>

#include "data/file.h"
#include "data/jpeg_tables.h"
#include "kernels/error.h"

namespace retort {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargestFile = std::size_t{256} << 20;
constexpr long long kLargestPicture = 64'000'000;  // pixels
constexpr int kLargestSide = 32768;

struct Entry {
  std::string path;
  std::int32_t label;
};

bool is_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& letter : ending) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

/// Names in a folder, sorted, hidden ones left out; `folders` selects folders or pictures.
std::vector<std::string> list(const std::string& folder, bool folders) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    const std::string name = it->path().filename().string();
    if (name.empty() || name[0] == '.') continue;
    if (folders ? it->is_directory(ignored) : it->is_regular_file(ignored) && is_picture(it->path())) {
      names.push_back(name);
    }
  }
  RETORT_CHECK_AS(ErrorKind::input, !error, folder, ": cannot list this folder: ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Entry> list_class(const std::string& folder, std::int32_t label) {
  std::vector<Entry> entries;
  for (const std::string& name : list(folder, false)) entries.push_back({folder + "/" + name, label});
  RETORT_CHECK_AS(ErrorKind::input, !entries.empty(), folder, ": no .png, .jpg or .jpeg file in this class folder");
  return entries;
}

/// What one side of a resize reads: output i is the weighted sum of inputs first[i] .. first[i] + weights[i].size().
struct Taps {
  std::vector<int> first;
  std::vector<std::vector<float>> weights;
};

/// A triangle filter over pixel centres, as wide as the output pixel where the picture shrinks (so that it averages
/// the area) and as the input pixel where it grows (bilinear). `offset` and `length` are the crop on this side.
Taps make_taps(int offset, int length, int size) {
  Taps taps;
  const double scale = static_cast<double>(length) / size;
  const double reach = std::max(scale, 1.0);
  for (int i = 0; i < size; ++i) {
    const double centre = (i + 0.5) * scale;
    const int begin = std::max(0, static_cast<int>(std::floor(centre - reach)));
    const int end = std::min(length, static_cast<int>(std::ceil(centre + reach)));
    std::vector<float> weights;
    double sum = 0;
    for (int j = begin; j < end; ++j) sum += std::max(0.0, 1.0 - std::abs(j + 0.5 - centre) / reach);
    for (int j = begin; j < end; ++j) {
      weights.push_back(static_cast<float>(std::max(0.0, 1.0 - std::abs(j + 0.5 - centre) / reach) / sum));
    }
    taps.first.push_back(offset + begin);
    taps.weights.push_back(std::move(weights));
  }
  return taps;
}

/// Decodes and fits every file; the first failure (in order) is the one reported, whatever the number of threads.
std::vector<Picture> decode_all(const std::vector<Entry>& entries, int size) {
  std::vector<Picture> pictures(entries.size());
  std::vector<std::exception_ptr> failures(entries.size());
#pragma omp parallel for schedule(dynamic, 16)
  for (std::size_t i = 0; i < entries.size(); ++i) {
    try {
      const Bytes bytes = read_bytes(entries[i].path, kLargestFile);
      pictures[i] = fit_square(decode_picture(bytes.data(), bytes.size(), entries[i].path), size);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return pictures;
}

ImageSplit join(const std::vector<Entry>& entries, const std::vector<Picture>& pictures, int channels) {
  ImageSplit split;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    split.labels.push_back(entries[i].label);
    for (const std::uint8_t value : pictures[i].pixels) {
      split.pixels.insert(split.pixels.end(), static_cast<std::size_t>(channels / pictures[i].channels), value);
    }
  }
  return split;
}

std::string join_names(const std::vector<std::string>& names) {
  std::string joined;
  for (std::size_t i = 0; i < names.size() && i < 8; ++i) joined += (i ? ", " : "") + names[i];
  return names.size() > 8 ? joined + ", ..." : joined;
}

}  // namespace

Picture decode_picture(const std::uint8_t* bytes, std::size_t size, const std::string& name) {
  RETORT_CHECK_AS(ErrorKind::input, size > 0 && size <= kLargestFile, name, ": a picture of ", size, " bytes");
  const int length = static_cast<int>(size);
  const bool is_jpeg = bytes[0] == 0xff;  // further ones may follow before the marker
  RETORT_CHECK_AS(ErrorKind::input, !is_jpeg || jpeg_tables_fit(bytes, size), name,
                  ": this JPEG is damaged (a Huffman table of more than 255 codes)");
  int width = 0, height = 0, channels = 0;
  // The header is read first: nothing is decoded or allocated for a picture that is too large.
  const bool known = stbi_info_from_memory(bytes, length, &width, &height, &channels) != 0;
  RETORT_CHECK_AS(ErrorKind::input, known, name, ": no readable PNG or JPEG (", printable(stbi_failure_reason()), ")");
  RETORT_CHECK_AS(ErrorKind::input,
                  width > 0 && height > 0 && width <= kLargestSide && height <= kLargestSide &&
                      static_cast<long long>(width) * height <= kLargestPicture,
                  name, ": ", width, "x", height, " pixels; at most 64 megapixels are read");
  if (is_jpeg) {
    // The decoder fills what is missing of a JPEG with grey; only the end marker tells that nothing is.
    bool ended = false;
    for (std::size_t i = size - 1; i > 1 && !ended; --i) ended = bytes[i - 1] == 0xff && bytes[i] == 0xd9;
    RETORT_CHECK_AS(ErrorKind::input, ended, name, ": this JPEG is cut short (no end marker)");
  }
  Picture picture;
  picture.channels = channels <= 2 ? 1 : 3;
  const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
      stbi_load_from_memory(bytes, length, &width, &height, &channels, picture.channels), stbi_image_free);
  RETORT_CHECK_AS(ErrorKind::input, decoded, name, ": cannot decode this picture (", printable(stbi_failure_reason()), ")");
  picture.height = height;
  picture.width = width;
  picture.pixels.assign(decoded.get(), decoded.get() + static_cast<std::size_t>(height) *
                                                           static_cast<std::size_t>(width) *
                                                           static_cast<std::size_t>(picture.channels));
  return picture;
}

Picture fit_square(const Picture& picture, int size) {
  RETORT_CHECK(size > 0 && picture.height > 0 && picture.width > 0, "fit_square of ", picture.height, "x",
               picture.width, " to ", size);
  if (picture.height == size && picture.width == size) return picture;
  const int side = std::min(picture.height, picture.width);
  const Taps rows = make_taps((picture.height - side) / 2, side, size);
  const Taps columns = make_taps((picture.width - side) / 2, side, size);
  const auto channels = static_cast<std::size_t>(picture.channels);
  const std::size_t stride = static_cast<std::size_t>(picture.width) * channels;
  Picture out;
  out.height = out.width = size;
  out.channels = picture.channels;
  out.pixels.resize(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * channels);
  std::vector<float> line(stride);
  for (std::size_t y = 0; y < static_cast<std::size_t>(size); ++y) {
    std::fill(line.begin(), line.end(), 0.0F);
    for (std::size_t j = 0; j < rows.weights[y].size(); ++j) {
      const std::uint8_t* from = picture.pixels.data() + (static_cast<std::size_t>(rows.first[y]) + j) * stride;
      for (std::size_t x = 0; x < stride; ++x) line[x] += rows.weights[y][j] * static_cast<float>(from[x]);
    }
    for (std::size_t x = 0; x < static_cast<std::size_t>(size); ++x) {
      for (std::size_t c = 0; c < channels; ++c) {
        float sum = 0.5F;
        for (std::size_t j = 0; j < columns.weights[x].size(); ++j) {
          sum += columns.weights[x][j] * line[(static_cast<std::size_t>(columns.first[x]) + j) * channels + c];
        }
        out.pixels[(y * static_cast<std::size_t>(size) + x) * channels + c] =
            static_cast<std::uint8_t>(std::clamp(sum, 0.0F, 255.0F));
      }
    }
  }
  return out;
}

Dataset load_image_folder(const std::string& folder, int size) {
  std::error_code ignored;
  RETORT_CHECK_AS(
      ErrorKind::input, fs::is_directory(folder, ignored), folder,
      ": no such folder; expected train/CLASS/*.png and test/CLASS/*.png (or .jpg, .jpeg), or CLASS/* alone");
  const bool split = fs::is_directory(folder + "/train", ignored);
  RETORT_CHECK_AS(ErrorKind::input, !split || fs::is_directory(folder + "/test", ignored), folder,
                  ": has a folder train but none called test");
  const std::string root = split ? folder + "/train" : folder;
  Dataset dataset;
  dataset.name = "folder";
  dataset.height = dataset.width = size;
  dataset.class_names = list(root, true);
  dataset.classes = static_cast<int>(dataset.class_names.size());
  RETORT_CHECK_AS(ErrorKind::input, dataset.classes >= 2, root, ": ", dataset.classes,
                  " class folders; at least 2 are needed (expected CLASS/*.png, .jpg or .jpeg)");
  if (split) {
    const std::vector<std::string> names = list(folder + "/test", true);
    RETORT_CHECK_AS(ErrorKind::input, names == dataset.class_names, folder, "/test: its class folders (",
                    join_names(names), ") are not those of train (", join_names(dataset.class_names), ")");
  }

  std::vector<Entry> train, test;
  for (std::int32_t label = 0; label < dataset.classes; ++label) {
    const std::string& name = dataset.class_names[static_cast<std::size_t>(label)];
    const std::vector<Entry> files = list_class(root + "/" + name, label);
    if (split) {
      train.insert(train.end(), files.begin(), files.end());
      const std::vector<Entry> more = list_class(folder + "/test/" + name, label);
      test.insert(test.end(), more.begin(), more.end());
      continue;
    }
    const std::size_t held = std::min<std::size_t>(9, files.size() - 1);
    for (std::size_t i = 0; i < files.size(); ++i) {
      (files.size() > 1 && i % 10 == held ? test : train).push_back(files[i]);
    }
  }
  const std::vector<Picture> train_pictures = decode_all(train, size), test_pictures = decode_all(test, size);
  const auto grey = [](const Picture& picture) { return picture.channels == 1; };
  const bool all_grey = std::all_of(train_pictures.begin(), train_pictures.end(), grey) &&
                        std::all_of(test_pictures.begin(), test_pictures.end(), grey);
  dataset.channels = all_grey ? 1 : 3;
  dataset.train = join(train, train_pictures, dataset.channels);
  dataset.test = join(test, test_pictures, dataset.channels);
  dataset.crop_padding = 4;
  dataset.flip = true;
  validate(dataset);
  measure_normalisation(dataset);
  dataset.checksum = checksum_of(dataset);
  return dataset;
}

}  // namespace retort
