#include "data/cifar.h"

#include "tests/fuzz/fuzz.h"

using namespace retort;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& [label_bytes, classes] : {std::pair{1, 10}, std::pair{2, 100}}) {
    fuzz::run([&, label_bytes = label_bytes, classes = classes] {
      ImageSplit split;
      parse_cifar(data, size, label_bytes, classes, fuzz::file_name, split);
      fuzz::require(!split.labels.empty() && split.pixels.size() == split.labels.size() * 3072, "labels and pixels");
      for (const int label : split.labels) fuzz::require(label >= 0 && label < classes, "a label out of range");
    });
  }
  return 0;
}
