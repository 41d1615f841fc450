#include "data/cifar.h"

#include <filesystem>
#include <vector>

#include "data/file.h"
#include "kernels/error.h"

namespace retort {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPlane = 32 * 32;
constexpr std::size_t kLargest = std::size_t{2} << 30;

struct Layout {
  const char* name;
  const char* subfolder;
  std::vector<const char*> train_files;
  const char* test_file;
  const char* names_file;
  int label_bytes;
  int classes;
  const char* published;
};

const Layout& layout_of(const std::string& name) {
  static const Layout ten = {
      "cifar10",
      "cifar-10-batches-bin",
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      "test_batch.bin",
      "batches.meta.txt",
      1,
      10,
      "CIFAR-10 binary version, cifar-10-binary.tar.gz (170,052,171 bytes, MD5 c32a1d4ab5d03f1284b67883e8d87530)"};
  static const Layout hundred = {
      "cifar100",
      "cifar-100-binary",
      {"train.bin"},
      "test.bin",
      "fine_label_names.txt",
      2,
      100,
      "CIFAR-100 binary version, cifar-100-binary.tar.gz (168,513,733 bytes, MD5 03b5dce01913d631647c71ecec9e9cb8)"};
  RETORT_CHECK(name == ten.name || name == hundred.name, "no CIFAR data set is called ", name);
  return name == ten.name ? ten : hundred;
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string find_folder(const Layout& layout, const std::string& folder) {
  std::vector<const char*> files = layout.train_files;
  files.push_back(layout.test_file);
  for (const std::string& candidate : {folder, folder + "/" + layout.subfolder}) {
    std::size_t found = 0;
    std::string missing;
    for (const char* file : files) {
      if (is_file(candidate + "/" + file)) {
        ++found;
      } else {
        missing += text(missing.empty() ? "" : ", ", file);
      }
    }
    if (found == files.size()) return candidate;
    RETORT_CHECK_AS(ErrorKind::input, found == 0, candidate, ": ", missing, " missing; all of the ", layout.published,
                    " from cs.toronto.edu/~kriz/cifar.html are needed");
  }
  std::string expected;
  for (const char* file : files) expected += text(expected.empty() ? "" : ", ", file);
  fail(ErrorKind::input, text(folder, ": no ", expected, " there or in its ", layout.subfolder, ": expected the ",
                              layout.published, " from cs.toronto.edu/~kriz/cifar.html"));
}

void read_file(const std::string& path, int label_bytes, int classes, ImageSplit& split) {
  const Bytes bytes = read_bytes(path, kLargest);
  parse_cifar(bytes.data(), bytes.size(), label_bytes, classes, path, split);
}

}  // namespace

void parse_cifar(const std::uint8_t* bytes, std::size_t size, int label_bytes, int classes, const std::string& name,
                 ImageSplit& split) {
  const auto labels = static_cast<std::size_t>(label_bytes);
  const std::size_t record = labels + 3 * kPlane;
  RETORT_CHECK_AS(ErrorKind::input, size > 0 && size % record == 0, name, ": ", size,
                  " bytes are not a whole number of records of ", record, " bytes");
  const std::size_t count = size / record;
  const std::size_t before = split.labels.size();
  split.labels.resize(before + count);
  split.pixels.resize((before + count) * 3 * kPlane);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* from = bytes + i * record;
    const int label = from[labels - 1];
    RETORT_CHECK_AS(ErrorKind::input, label < classes, name, ": label ", label, " of record ", i, " is not below ",
                    classes);
    split.labels[before + i] = label;
    std::uint8_t* to = split.pixels.data() + (before + i) * 3 * kPlane;
    for (std::size_t p = 0; p < kPlane; ++p) {
      for (std::size_t c = 0; c < 3; ++c) to[p * 3 + c] = from[labels + c * kPlane + p];
    }
  }
}

Dataset load_cifar(const std::string& name, const std::string& folder) {
  const Layout& layout = layout_of(name);
  const std::string place = find_folder(layout, folder);
  Dataset dataset;
  dataset.name = name;
  dataset.height = dataset.width = 32;
  dataset.channels = 3;
  dataset.classes = layout.classes;
  // A file of names decides the number of classes, so that other sets in these layouts load too.
  dataset.class_names = read_lines(place + "/" + layout.names_file);
  if (!dataset.class_names.empty()) {
    RETORT_CHECK_AS(ErrorKind::input, dataset.class_names.size() <= 256, place, "/", layout.names_file, ": ",
                    dataset.class_names.size(), " class names; a label byte can tell 256 apart");
    dataset.classes = static_cast<int>(dataset.class_names.size());
  } else if (name == "cifar10") {
    dataset.class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  }
  for (const char* file : layout.train_files) {
    read_file(place + "/" + file, layout.label_bytes, dataset.classes, dataset.train);
  }
  read_file(place + "/" + layout.test_file, layout.label_bytes, dataset.classes, dataset.test);
  if (name == "cifar10") {
    dataset.mean = {0.4914F, 0.4822F, 0.4465F};
    dataset.std = {0.2470F, 0.2435F, 0.2616F};
  } else {
    dataset.mean = {0.5071F, 0.4867F, 0.4408F};
    dataset.std = {0.2675F, 0.2565F, 0.2761F};
  }
  dataset.crop_padding = 4;
  dataset.flip = true;
  validate(dataset);
  dataset.checksum = checksum_of(dataset);
  return dataset;
}

}  // namespace retort
