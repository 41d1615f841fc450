#include "data/write.h"

#include <stb/stb_image_write.h>

#include <cstdio>
#include <cstring>

#include "data/file.h"
#include "engine/atomic_file.h"
#include "kernels/error.h"

namespace retort {

namespace {

constexpr std::size_t kPlane = 32 * 32;

/// Rows [begin, end) of a split as CIFAR records: label bytes, then red, green and blue planes.
Bytes cifar_records(const ImageSplit& split, std::size_t begin, std::size_t end, std::size_t label_bytes) {
  const std::size_t record = label_bytes + 3 * kPlane;
  Bytes bytes((end - begin) * record);
  for (std::size_t i = begin; i < end; ++i) {
    std::uint8_t* to = bytes.data() + (i - begin) * record;
    to[label_bytes - 1] = static_cast<std::uint8_t>(split.labels[i]);
    const std::uint8_t* from = split.pixels.data() + i * 3 * kPlane;
    for (std::size_t p = 0; p < kPlane; ++p) {
      for (std::size_t c = 0; c < 3; ++c) to[label_bytes + c * kPlane + p] = from[p * 3 + c];
    }
  }
  return bytes;
}

void write_names(const Dataset& dataset, const std::string& path) {
  std::string lines;
  for (int i = 0; i < dataset.classes; ++i) {
    const auto row = static_cast<std::size_t>(i);
    lines += dataset.class_names.empty() ? text("class_", i) : dataset.class_names[row];
    lines += '\n';
  }
  write_file_atomically(path, lines.data(), lines.size(), Durability::renamed);
}

std::string class_folder(const Dataset& dataset, std::int32_t label) {
  const auto row = static_cast<std::size_t>(label);
  if (!dataset.class_names.empty()) {
    const std::string& name = dataset.class_names[row];
    // A name from a file must not lead out of the folder.
    const bool safe = !name.empty() && name[0] != '.' && name.find('/') == std::string::npos;
    RETORT_CHECK_AS(ErrorKind::input, safe, dataset.name, ": class name '", name, "' cannot be a folder");
    return name;
  }
  char name[24];
  std::snprintf(name, sizeof name, "class_%03d", static_cast<int>(label));
  return name;
}

void collect(void* context, void* data, int size) {
  auto& bytes = *static_cast<Bytes*>(context);
  const auto* from = static_cast<const std::uint8_t*>(data);
  bytes.insert(bytes.end(), from, from + size);
}

}  // namespace

void write_cifar(const Dataset& dataset, const std::string& folder) {
  validate(dataset);
  RETORT_CHECK(dataset.height == 32 && dataset.width == 32 && dataset.channels == 3, dataset.name,
               ": CIFAR files hold 32x32x3 images, these are ", dataset.height, "x", dataset.width, "x",
               dataset.channels);
  RETORT_CHECK(dataset.classes >= 1 && dataset.classes <= 256, dataset.name,
               ": CIFAR files hold 1 to 256 classes, not ", dataset.classes);
  const auto write = [&](const char* file, const ImageSplit& split, std::size_t begin, std::size_t end,
                         std::size_t label_bytes) {
    const Bytes bytes = cifar_records(split, begin, end, label_bytes);
    write_file_atomically(folder + "/" + file, bytes.data(), bytes.size(), Durability::renamed);
  };
  const auto train = static_cast<std::size_t>(dataset.train.count());
  const auto test = static_cast<std::size_t>(dataset.test.count());
  RETORT_CHECK(dataset.classes > 10 || train >= 5, dataset.name, ": ", train,
               " training images cannot fill the five files of CIFAR-10");
  make_folder(folder);
  if (dataset.classes > 10) {
    write("train.bin", dataset.train, 0, train, 2);
    write("test.bin", dataset.test, 0, test, 2);
    write_names(dataset, folder + "/fine_label_names.txt");
    return;
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const std::string file = text("data_batch_", i + 1, ".bin");
    write(file.c_str(), dataset.train, train * i / 5, train * (i + 1) / 5, 1);
  }
  write("test_batch.bin", dataset.test, 0, test, 1);
  write_names(dataset, folder + "/batches.meta.txt");
}

Bytes encode_png(const std::string& name, const std::uint8_t* pixels, int height, int width, int channels) {
  RETORT_CHECK(height > 0 && width > 0 && (channels == 1 || channels == 3), name, ": a PNG of ", height, "x", width,
               "x", channels);
  Bytes bytes;
  const int good = stbi_write_png_to_func(collect, &bytes, width, height, channels, pixels, width * channels);
  RETORT_CHECK_AS(ErrorKind::output, good, name, ": cannot encode the picture");
  return bytes;
}

void write_png(const std::string& path, const std::uint8_t* pixels, int height, int width, int channels) {
  const Bytes bytes = encode_png(path, pixels, height, width, channels);
  write_file_atomically(path, bytes.data(), bytes.size(), Durability::renamed);
}

void write_image_folder(const Dataset& dataset, const std::string& folder) {
  validate(dataset);
  RETORT_CHECK(dataset.classes > 0, dataset.name, ": class folders need classes");
  for (const bool training : {true, false}) {
    const ImageSplit& split = training ? dataset.train : dataset.test;
    const std::string root = folder + (training ? "/train/" : "/test/");
    for (int c = 0; c < dataset.classes; ++c) make_folder(root + class_folder(dataset, c));
    for (int i = 0; i < split.count(); ++i) {
      const auto row = static_cast<std::size_t>(i);
      char file[24];
      std::snprintf(file, sizeof file, "/%05d.png", i);
      write_png(root + class_folder(dataset, split.labels[row]) + file,
                split.pixels.data() + row * dataset.image_bytes(), dataset.height, dataset.width, dataset.channels);
    }
  }
}

void write_contact_sheet(const std::string& path, const Dataset& dataset, const ImageSplit& split,
                         const std::vector<int>& samples, int columns, int zoom) {
  RETORT_CHECK(!samples.empty() && columns > 0 && zoom > 0 && zoom <= 16, path, ": a sheet of ", samples.size(),
               " images in ", columns, " columns, zoom ", zoom);
  const int gap = 2;
  const int cell_h = dataset.height * zoom + gap, cell_w = dataset.width * zoom + gap;
  const int rows = (static_cast<int>(samples.size()) + columns - 1) / columns;
  const int height = rows * cell_h + gap, width = columns * cell_w + gap, channels = dataset.channels;
  Bytes sheet(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(channels),
              255);
  for (std::size_t k = 0; k < samples.size(); ++k) {
    RETORT_CHECK(samples[k] >= 0 && samples[k] < split.count(), path, ": no sample ", samples[k]);
    const std::uint8_t* image = split.pixels.data() + static_cast<std::size_t>(samples[k]) * dataset.image_bytes();
    const int top = static_cast<int>(k) / columns * cell_h + gap, left = static_cast<int>(k) % columns * cell_w + gap;
    for (int y = 0; y < dataset.height * zoom; ++y) {
      for (int x = 0; x < dataset.width * zoom; ++x) {
        const std::size_t to =
            (static_cast<std::size_t>(top + y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(left + x)) *
            static_cast<std::size_t>(channels);
        const auto from = static_cast<std::size_t>(((y / zoom) * dataset.width + x / zoom) * channels);
        std::memcpy(sheet.data() + to, image + from, static_cast<std::size_t>(channels));
      }
    }
  }
  write_png(path, sheet.data(), height, width, channels);
}

}  // namespace retort
