#include "data/idx.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "data/file.h"
#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

namespace {

Bytes idx(const std::vector<std::uint32_t>& shape, const Bytes& values) {
  Bytes bytes = {0, 0, 8, static_cast<std::uint8_t>(shape.size())};
  for (const std::uint32_t extent : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(extent >> shift));
  }
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

Bytes counting(std::size_t n) {
  Bytes bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  return bytes;
}

Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(bytes.size() + 256);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(stream.total_out), out.end());
  deflateEnd(&stream);
  return out;
}

/// 3 training and 2 test images of 4x5 pixels.
void put_set(const std::string& folder, const std::string& separator = "-") {
  put(folder + "/train-images" + separator + "idx3-ubyte", idx({3, 4, 5}, counting(60)));
  put(folder + "/train-labels" + separator + "idx1-ubyte", idx({3}, {9, 0, 4}));
  put(folder + "/t10k-images" + separator + "idx3-ubyte", idx({2, 4, 5}, counting(40)));
  put(folder + "/t10k-labels" + separator + "idx1-ubyte", idx({2}, {1, 2}));
}

}  // namespace

TEST_CASE("idx: both spellings, plain and gzipped, give the same set") {
  const TemporaryFolder a, b, c;
  put_set(a.path());
  put_set(b.path(), ".");
  put(c / "train-images-idx3-ubyte.gz", gzip(idx({3, 4, 5}, counting(60))));
  put(c / "train-labels-idx1-ubyte.gz", gzip(idx({3}, {9, 0, 4})));
  put(c / "t10k-images.idx3-ubyte.gz", gzip(idx({2, 4, 5}, counting(40))));
  put(c / "t10k-labels.idx1-ubyte", idx({2}, {1, 2}));
  const Dataset set = load_dataset("mnist:" + a.path());
  CHECK(set.height == 4);
  CHECK(set.width == 5);
  CHECK(set.channels == 1);
  CHECK(set.classes == 10);
  CHECK(set.train.count() == 3);
  CHECK(set.test.count() == 2);
  CHECK(set.train.pixels == counting(60));
  CHECK(set.train.labels == std::vector<std::int32_t>{9, 0, 4});
  CHECK(set.mean[0] == doctest::Approx(0.1307));
  CHECK_FALSE(set.flip);
  CHECK(load_dataset("mnist:" + b.path()).checksum == set.checksum);
  CHECK(load_dataset("mnist:" + c.path()).checksum == set.checksum);
  const Dataset fashion = load_dataset("fashion-mnist:" + b.path());
  CHECK(fashion.checksum == set.checksum);
  CHECK(fashion.std[0] == doctest::Approx(0.3530));
  CHECK(fashion.class_names.size() == 10);
}

TEST_CASE("idx: a missing file says what is published where") {
  const TemporaryFolder folder;
  put_set(folder.path());
  std::filesystem::remove(folder / "t10k-labels-idx1-ubyte");
  const Failure failure = failure_of([&] { load_dataset("mnist:" + folder.path()); });
  CHECK(failure.blames("t10k-labels-idx1-ubyte"));
  CHECK(failure.says("yann.lecun.com/exdb/mnist"));
  CHECK(failure.says("ec29112dd5afa0611ce80d1b7f02629c"));
  CHECK(failure_of([&] { load_dataset("fashion-mnist:" + (folder / "nowhere")); }).blames("zalandoresearch"));
}

TEST_CASE("idx: every kind of damage is an input error that names the file") {
  const TemporaryFolder folder;
  put_set(folder.path());
  const std::string images = "train-images-idx3-ubyte", labels = "train-labels-idx1-ubyte";
  const auto refused = [&](const std::string& file, const Bytes& bytes, const std::string& part) {
    put(folder / file, bytes);
    const Failure failure = failure_of([&] { load_dataset("mnist:" + folder.path()); });
    CAPTURE(file);
    CAPTURE(failure.message);
    CHECK(failure.blames(file));
    CHECK(failure.says(part));
    put_set(folder.path());
  };
  const Bytes good = idx({3, 4, 5}, counting(60));
  Bytes bad = good;
  bad.pop_back();
  refused(images, bad, "3x4x5");
  bad = good;
  bad.push_back(0);
  refused(images, bad, "61 bytes");
  bad = good;
  bad[0] = 1;
  refused(images, bad, "magic");
  bad = good;
  bad[2] = 0x0d;
  refused(images, bad, "element type 13");
  bad = good;
  bad[3] = 9;
  refused(images, bad, "9 dimensions");
  refused(images, {}, "too few");
  refused(images, Bytes(good.begin(), good.begin() + 9), "header");
  refused(images, idx({12, 5}, counting(60)), "2 dimensions");
  refused(images, idx({0, 4, 5}, {}), "0 images");
  refused(labels, idx({2}, {1, 2}), "2 labels for the 3 images");
  refused(labels, idx({3}, {1, 10, 2}), "label 10 of sample 1");
  refused("t10k-images-idx3-ubyte", idx({2, 5, 4}, counting(40)), "5x4");
}

TEST_CASE("idx: a header that promises more than there is allocates nothing") {
  for (const auto& shape : {std::vector<std::uint32_t>{0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff},
                            std::vector<std::uint32_t>{0xffffffff}, std::vector<std::uint32_t>{65536, 65536, 65536},
                            std::vector<std::uint32_t>{0x80000000, 2}}) {
    const Bytes bytes = idx(shape, counting(16));
    CHECK(failure_of([&] { parse_idx(bytes.data(), bytes.size(), "x"); }).blames("x: the header says"));
  }
}

TEST_CASE("idx: damaged gzip streams") {
  const TemporaryFolder folder;
  put_set(folder.path());
  std::filesystem::remove(folder / "train-images-idx3-ubyte");
  const std::string path = folder / "train-images-idx3-ubyte.gz";
  const Bytes good = gzip(idx({3, 4, 5}, counting(60)));
  const auto load = [&] { load_dataset("mnist:" + folder.path()); };
  put(path, good);
  CHECK_FALSE(failure_of(load).failed);
  for (const std::size_t kept : {std::size_t{3}, std::size_t{12}, good.size() / 2, good.size() - 1}) {
    put(path, Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(kept)));
    CHECK(failure_of(load).blames("cut short"));
  }
  Bytes bad = good;
  bad.push_back(7);
  put(path, bad);
  CHECK(failure_of(load).blames("follow the end"));
  bad = good;
  bad[good.size() - 6] ^= 0x55;  // the stored crc
  put(path, bad);
  CHECK(failure_of(load).blames(path + ": damaged"));
}

TEST_CASE("gunzip: output is bounded") {
  const Bytes packed = gzip(Bytes(1 << 20, 0));
  const Bytes unpacked = gunzip(packed.data(), packed.size(), 1 << 20, "bomb");
  CHECK(unpacked.size() == 1 << 20);
  CHECK(unpacked.capacity() <= (1 << 20) + 1);
  CHECK(failure_of([&] { gunzip(packed.data(), packed.size(), (1 << 20) - 1, "bomb"); }).blames("bomb: unpacks"));
  CHECK(failure_of([&] { gunzip(packed.data(), packed.size(), 0, "bomb"); }).blames("bomb: unpacks"));
}
