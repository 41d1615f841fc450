#include <doctest/doctest.h>

#include "data/check.h"
#include "data/file.h"
#include "data/select.h"
#include "data/synthetic.h"
#include "data/write.h"
#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("load_dataset: unknown names list the known ones, and names need their path") {
  const Failure failure = failure_of([] { load_dataset("imagenet:here"); });
  CHECK(failure.kind == ErrorKind::usage);
  for (const std::string& name : dataset_names()) CHECK(failure.says(name));
  CHECK(failure_of([] { load_dataset("cifar10"); }).says("cifar10:PATH"));
  CHECK(failure_of([] { load_dataset("cifar10:"); }).kind == ErrorKind::usage);
  CHECK(failure_of([] { load_dataset(""); }).kind == ErrorKind::usage);
  CHECK(failure_of([] { load_dataset("folder:x,size=0"); }).kind == ErrorKind::usage);
  CHECK(failure_of([] { load_dataset("folder:x,size=a"); }).kind == ErrorKind::usage);
  CHECK(failure_of([] { load_dataset("synthetic", {.limit = -1}); }).kind == ErrorKind::usage);
}

TEST_CASE("validate: sizes and labels") {
  const Dataset good = make_synthetic({.train = 8, .test = 4});
  CHECK_FALSE(failure_of([&] { validate(good); }).failed);
  Dataset bad = good;
  bad.train.pixels.pop_back();
  CHECK(failure_of([&] { validate(bad); }).blames("training split has 24575 pixel bytes"));
  bad = good;
  bad.test.labels[2] = 10;
  CHECK(failure_of([&] { validate(bad); }).blames("label 10 of test sample 2"));
  bad = good;
  bad.train.labels[1] = -1;
  CHECK(failure_of([&] { validate(bad); }).blames("label -1"));
  bad = good;
  bad.train.difficulty.pop_back();
  CHECK(failure_of([&] { validate(bad); }).blames("difficulties"));
  bad = good;
  bad.test = {};
  CHECK(failure_of([&] { validate(bad); }).blames("test split is empty"));
  bad = good;
  bad.class_names.pop_back();
  CHECK(failure_of([&] { validate(bad); }).blames("9 class names"));
}

TEST_CASE("measure_normalisation: exact, and safe for a flat picture") {
  Dataset set;
  set.height = 1;
  set.width = 2;
  set.channels = 1;
  set.train.pixels = {0, 255, 51, 204};
  measure_normalisation(set);
  CHECK(set.mean[0] == doctest::Approx(0.5));
  CHECK(set.std[0] == doctest::Approx(0.41231));
  CHECK(set.mean[2] == set.mean[0]);
  set.train.pixels = {9, 9};
  measure_normalisation(set);
  CHECK(set.std[0] == doctest::Approx(1.0 / 255));
}

TEST_CASE("check_dataset: counts, duplicates within and across the splits, noise") {
  Dataset set = make_synthetic({.train = 50, .test = 20, .noise = 0.5F});
  const auto copy = [&](ImageSplit& to, std::ptrdiff_t row, const ImageSplit& from, std::ptrdiff_t source) {
    std::copy(from.pixels.begin() + source * 3072, from.pixels.begin() + (source + 1) * 3072,
              to.pixels.begin() + row * 3072);
  };
  copy(set.train, 7, set.train, 3);
  copy(set.train, 9, set.train, 3);
  copy(set.test, 4, set.train, 20);
  const DatasetReport report = check_dataset(set);
  CHECK(report.train.count == 50);
  CHECK(report.train.duplicates == 2);
  CHECK(report.test.duplicates == 0);
  CHECK(report.shared == 1);
  CHECK(report.checksum == checksum_of(set));
  CHECK(report.train.noisy_labels > 10);
  CHECK(report.test.noisy_labels == -1);
  int sum = 0;
  for (const int count : report.train.per_class) sum += count;
  CHECK(sum == 50);
  CHECK(report.train.mean[0] == doctest::Approx(0.5).epsilon(0.1));
  CHECK(report.warnings.size() >= 3);
  std::string all;
  for (const std::string& line : describe(report)) all += line + "\n";
  for (const char* part : {"synthetic: 32x32 pixels, 3 channels, 10 classes", "train  50 images", "hourglass",
                           "checksum train:", "warning: 2 training images repeat", "1 test images are training"}) {
    CAPTURE(part);
    CHECK(all.find(part) != std::string::npos);
  }
  CHECK(check_dataset(make_synthetic({.train = 300, .test = 100})).warnings.empty());
}

TEST_CASE("write_contact_sheet: a readable picture of the right size") {
  const TemporaryFolder folder;
  const Dataset set = make_synthetic({.train = 6, .test = 1});
  write_contact_sheet(folder / "sheet.png", set, set.train, {0, 1, 2, 3, 4}, 3, 2);
  const Bytes bytes = read_bytes(folder / "sheet.png", 1 << 20);
  REQUIRE(bytes.size() > 24);
  CHECK(bytes[19] == 3 * 66 + 2);  // width, height
  CHECK(bytes[23] == 2 * 66 + 2);
  CHECK(failure_of([&] { write_contact_sheet(folder / "x.png", set, set.train, {6}, 3, 2); }).failed);
}

TEST_CASE("read_bytes: limits and errors") {
  const TemporaryFolder folder;
  put(folder / "file", Bytes(1000, 3));
  CHECK(read_bytes(folder / "file", 1000).size() == 1000);
  CHECK(failure_of([&] { read_bytes(folder / "file", 999); }).blames("file: is larger"));
  CHECK(failure_of([&] { read_bytes(folder.path(), 999); }).blames("folder"));
  CHECK(failure_of([&] { read_bytes(folder / "none", 999); }).blames("none: cannot open"));
  put(folder / "empty", {});
  CHECK(read_bytes(folder / "empty", 10).empty());
  put(folder / "lines", {'a', '\r', '\n', '\n', 'b'});
  CHECK(read_lines(folder / "lines") == std::vector<std::string>{"a", "b"});
}
