#include "data/cifar.h"

#include <doctest/doctest.h>

#include "data/file.h"
#include "data/synthetic.h"
#include "data/write.h"
#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

namespace {

Dataset small() {
  return make_synthetic({.train = 23, .test = 7});
}

/// 11 classes, so that it takes the layout of CIFAR-100.
Dataset eleven_classes() {
  Dataset set = small();
  set.classes = 11;
  set.class_names.push_back("blank");
  set.train.labels[0] = 10;
  set.checksum = checksum_of(set);
  return set;
}

}  // namespace

TEST_CASE("cifar: planes become interleaved pixels") {
  Bytes record(1 + 3072);
  record[0] = 3;
  record[1 + 5] = 50;         // red of pixel 5
  record[1 + 1024 + 5] = 60;  // green
  record[1 + 2048 + 5] = 70;  // blue
  ImageSplit split;
  parse_cifar(record.data(), record.size(), 1, 10, "x", split);
  CHECK(split.labels == std::vector<std::int32_t>{3});
  CHECK(split.pixels.size() == 3072);
  CHECK(split.pixels[15] == 50);
  CHECK(split.pixels[16] == 60);
  CHECK(split.pixels[17] == 70);
}

TEST_CASE("cifar10: written and read again, from the folder or its parent") {
  const TemporaryFolder folder;
  const Dataset set = small();
  write_cifar(set, folder / "cifar-10-batches-bin");
  for (const std::string& path : {folder.path(), folder / "cifar-10-batches-bin"}) {
    const Dataset back = load_dataset("cifar10:" + path);
    CHECK(back.checksum == set.checksum);
    CHECK(back.class_names == set.class_names);
    CHECK(back.crop_padding == 4);
    CHECK(back.flip);
    CHECK(back.mean[2] == doctest::Approx(0.4465));
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cifar-10-batches-bin")) {
    CHECK(entry.path().string().find(".tmp") == std::string::npos);
  }
}

TEST_CASE("cifar10: without a file of names the ten published ones are known") {
  const TemporaryFolder folder;
  write_cifar(small(), folder.path());
  std::filesystem::remove(folder / "batches.meta.txt");
  CHECK(load_dataset("cifar10:" + folder.path()).class_names[6] == "frog");
}

TEST_CASE("cifar100: fine labels, round trip") {
  const TemporaryFolder folder;
  const Dataset set = eleven_classes();
  write_cifar(set, folder.path());
  const Dataset back = load_dataset("cifar100:" + folder.path());
  CHECK(back.checksum == set.checksum);
  CHECK(back.classes == 11);
  CHECK(back.class_names[10] == "blank");
  std::filesystem::remove(folder / "fine_label_names.txt");
  CHECK(load_dataset("cifar100:" + folder.path()).classes == 100);
  // The first byte is the coarse label and is not looked at.
  Bytes bytes = read_bytes(folder / "test.bin", 1 << 20);
  bytes[0] = 255;
  put(folder / "test.bin", bytes);
  CHECK(load_dataset("cifar100:" + folder.path()).checksum == set.checksum);
}

TEST_CASE("cifar: missing and damaged files are input errors that name the file") {
  const TemporaryFolder folder;
  write_cifar(small(), folder.path());
  const std::string batch = folder / "data_batch_3.bin";
  const Bytes good = read_bytes(batch, 1 << 20);
  const auto load = [&] { load_dataset("cifar10:" + folder.path()); };
  Bytes bad = good;
  bad.pop_back();
  put(batch, bad);
  CHECK(failure_of(load).blames(batch));
  bad = good;
  bad.push_back(0);
  put(batch, bad);
  CHECK(failure_of(load).blames(batch));
  bad = good;
  bad[3073] = 10;
  put(batch, bad);
  CHECK(failure_of(load).blames(batch + ": label 10 of record 1"));
  put(batch, {});
  CHECK(failure_of(load).blames(batch));
  std::filesystem::remove(batch);
  const Failure failure = failure_of(load);
  CHECK(failure.blames("data_batch_3.bin missing"));
  CHECK(failure.says("c32a1d4ab5d03f1284b67883e8d87530"));
  CHECK(failure.says("cs.toronto.edu/~kriz/cifar.html"));
  const Failure nothing = failure_of([&] { load_dataset("cifar100:" + folder.path()); });
  CHECK(nothing.blames("train.bin, test.bin"));
  CHECK(nothing.says("03b5dce01913d631647c71ecec9e9cb8"));
}

TEST_CASE("cifar: what does not fit the format is refused when writing") {
  const TemporaryFolder folder;
  Dataset set = small();
  set.height = 16;
  set.width = 64;
  CHECK(failure_of([&] { write_cifar(set, folder.path()); }).kind == ErrorKind::usage);
  set = make_synthetic({.train = 4, .test = 1});
  CHECK(failure_of([&] { write_cifar(set, folder.path()); }).says("five files"));
  CHECK(std::filesystem::is_empty(folder.path()));
}
