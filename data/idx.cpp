#include "data/idx.h"

#include <array>
#include <filesystem>

#include "data/file.h"
#include "kernels/error.h"

namespace retort {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargest = std::size_t{2} << 30;  // bytes a file may hold, packed or unpacked
constexpr int kLargestSide = 1024;

/// What is published, for the message when a file is missing.
struct Published {
  const char* stem;   ///< "train-images"
  const char* rank;   ///< "idx3"
  const char* bytes;  ///< of the .gz file
  const char* md5;
};
using FourFiles = std::array<Published, 4>;

constexpr FourFiles kMnist = {{{"train-images", "idx3", "9,912,422", "f68b3c2dcbeaaa9fbdd348bbdeb94873"},
                               {"train-labels", "idx1", "28,881", "d53e105ee54ea40749a09fcbcd1e9432"},
                               {"t10k-images", "idx3", "1,648,877", "9fb629c4189551a2d022fa330f9573f3"},
                               {"t10k-labels", "idx1", "4,542", "ec29112dd5afa0611ce80d1b7f02629c"}}};
constexpr FourFiles kFashion = {{{"train-images", "idx3", "26,421,880", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"},
                                 {"train-labels", "idx1", "29,515", "25c81989df183df01b3e8a0aad5dffbe"},
                                 {"t10k-images", "idx3", "4,422,102", "bef4ecab320f06d8554ea6380940ec79"},
                                 {"t10k-labels", "idx1", "5,148", "bb300cfdad3c16e7a12a480ee83cd310"}}};

std::string find_file(const std::string& set, const std::string& folder, const Published& file) {
  for (const char* separator : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      const std::string path = text(folder, "/", file.stem, separator, file.rank, "-ubyte", ending);
      std::error_code ignored;
      if (fs::is_regular_file(path, ignored)) return path;
    }
  }
  fail(ErrorKind::input, text(folder, ": no ", file.stem, "-", file.rank, "-ubyte (or ", file.stem, ".", file.rank,
                              "-ubyte; plain or .gz): ", set, " is published at ",
                              set == "mnist" ? "yann.lecun.com/exdb/mnist" : "github.com/zalandoresearch/fashion-mnist",
                              "; the .gz file has ", file.bytes, " bytes, MD5 ", file.md5));
}

IdxArray read_idx(const std::string& path) {
  Bytes bytes = read_bytes(path, kLargest);
  if (bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
    bytes = gunzip(bytes.data(), bytes.size(), kLargest, path);
  }
  return parse_idx(bytes.data(), bytes.size(), path);
}

ImageSplit load_split(const std::string& images_path, const std::string& labels_path, int classes, Dataset& dataset) {
  IdxArray images = read_idx(images_path);
  IdxArray labels = read_idx(labels_path);
  RETORT_CHECK_AS(ErrorKind::input, images.shape.size() == 3, images_path, ": has ", images.shape.size(),
                  " dimensions where images have 3");
  RETORT_CHECK_AS(ErrorKind::input, labels.shape.size() == 1, labels_path, ": has ", labels.shape.size(),
                  " dimensions where labels have 1");
  RETORT_CHECK_AS(ErrorKind::input, images.shape[0] == labels.shape[0], labels_path, ": holds ", labels.shape[0],
                  " labels for the ", images.shape[0], " images of ", images_path);
  RETORT_CHECK_AS(ErrorKind::input, images.shape[0] > 0, images_path, ": holds no images");
  const int height = images.shape[1], width = images.shape[2];
  RETORT_CHECK_AS(ErrorKind::input, height > 0 && width > 0 && height <= kLargestSide && width <= kLargestSide,
                  images_path, ": images of ", height, "x", width, " pixels");
  RETORT_CHECK_AS(ErrorKind::input, dataset.height == 0 || (dataset.height == height && dataset.width == width),
                  images_path, ": images of ", height, "x", width, " where the training images have ", dataset.height,
                  "x", dataset.width);
  dataset.height = height;
  dataset.width = width;
  ImageSplit split;
  split.pixels = std::move(images.values);
  split.labels.reserve(labels.values.size());
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    RETORT_CHECK_AS(ErrorKind::input, labels.values[i] < classes, labels_path, ": label ", int{labels.values[i]},
                    " of sample ", i, " is not below ", classes);
    split.labels.push_back(labels.values[i]);
  }
  return split;
}

}  // namespace

IdxArray parse_idx(const std::uint8_t* bytes, std::size_t size, const std::string& name) {
  RETORT_CHECK_AS(ErrorKind::input, size >= 4, name, ": ", size, " bytes are too few for an IDX file");
  const int rank = bytes[3];
  RETORT_CHECK_AS(ErrorKind::input, bytes[0] == 0 && bytes[1] == 0, name, ": no IDX file (bad magic number)");
  RETORT_CHECK_AS(ErrorKind::input, bytes[2] == 0x08, name, ": IDX element type ", int{bytes[2]},
                  " where unsigned bytes (8) are expected");
  RETORT_CHECK_AS(ErrorKind::input, rank >= 1 && rank <= 4, name, ": IDX array of ", rank,
                  " dimensions; 1 to 4 are possible");
  const std::size_t header = 4 + 4 * static_cast<std::size_t>(rank);
  RETORT_CHECK_AS(ErrorKind::input, size >= header, name, ": ends within its IDX header");
  IdxArray array;
  // The product is compared with what is there at every step, so it cannot overflow and nothing is allocated for a
  // header that promises more than the file has.
  const std::uint64_t there = size - header;
  std::uint64_t claimed = 1;
  std::string shape;
  bool fits = true;
  for (int i = 0; i < rank; ++i) {
    const std::uint8_t* at = bytes + 4 + 4 * i;
    const std::uint32_t extent = static_cast<std::uint32_t>(at[0]) << 24 | static_cast<std::uint32_t>(at[1]) << 16 |
                                 static_cast<std::uint32_t>(at[2]) << 8 | at[3];
    shape += text(i ? "x" : "", extent);
    fits = fits && extent <= 0x7fffffffU;
    if (fits) {
      claimed *= extent;
      fits = claimed <= there;
      array.shape.push_back(static_cast<int>(extent));
    }
  }
  RETORT_CHECK_AS(ErrorKind::input, fits && claimed == there, name, ": the header says ", shape, ", but ", there,
                  " bytes follow it");
  array.values.assign(bytes + header, bytes + size);
  return array;
}

Dataset load_idx(const std::string& name, const std::string& folder) {
  const bool fashion = name == "fashion-mnist";
  RETORT_CHECK(fashion || name == "mnist", "no IDX data set is called ", name);
  const FourFiles& files = fashion ? kFashion : kMnist;
  std::array<std::string, 4> paths;
  for (std::size_t i = 0; i < paths.size(); ++i) paths[i] = find_file(name, folder, files[i]);
  Dataset dataset;
  dataset.name = name;
  dataset.channels = 1;
  dataset.classes = 10;
  if (fashion) {
    dataset.class_names = {"T-shirt", "trouser", "pullover", "dress", "coat",
                           "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
  } else {
    dataset.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  }
  dataset.train = load_split(paths[0], paths[1], dataset.classes, dataset);
  dataset.test = load_split(paths[2], paths[3], dataset.classes, dataset);
  dataset.mean.fill(fashion ? 0.2860F : 0.1307F);
  dataset.std.fill(fashion ? 0.3530F : 0.3081F);
  validate(dataset);
  dataset.checksum = checksum_of(dataset);
  return dataset;
}

}  // namespace retort
