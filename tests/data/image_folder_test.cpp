#include "data/image_folder.h"

#include <doctest/doctest.h>
#include <stb/stb_image_write.h>

#include <algorithm>
#include <cstdlib>

#include "data/file.h"
#include "data/synthetic.h"
#include "data/write.h"
#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

namespace {

/// A one-colour PNG.
void put_png(const std::string& path, int height, int width, int channels, std::uint8_t value) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  const Bytes pixels(static_cast<std::size_t>(height) * static_cast<std::size_t>(width * channels), value);
  write_png(path, pixels.data(), height, width, channels);
}

Bytes jpeg(int height, int width, std::uint8_t value) {
  const Bytes pixels(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3, value);
  Bytes bytes;
  stbi_write_jpg_to_func(
      [](void* context, void* data, int size) {
        const auto* from = static_cast<const std::uint8_t*>(data);
        static_cast<Bytes*>(context)->insert(static_cast<Bytes*>(context)->end(), from, from + size);
      },
      &bytes, width, height, 3, pixels.data(), 95);
  return bytes;
}

}  // namespace

TEST_CASE("folder: a synthetic set written as PNGs comes back bit for bit") {
  const TemporaryFolder folder;
  const Dataset set = make_synthetic({.train = 60, .test = 40, .classes = 3});
  write_image_folder(set, folder.path());
  const Dataset back = load_dataset("folder:" + folder.path());
  CHECK(back.classes == 3);
  CHECK(back.class_names == std::vector<std::string>{"circle", "square", "triangle"});
  REQUIRE(back.train.count() == 60);
  CHECK(back.test.count() == 40);
  CHECK(back.mean[1] == set.mean[1]);
  CHECK(back.std[1] == set.std[1]);
  // Files are sorted by class, then by number.
  int row = 0;
  for (std::int32_t label = 0; label < 3; ++label) {
    for (std::size_t i = 0; i < 60; ++i) {
      if (set.train.labels[i] != label) continue;
      CHECK(back.train.labels[static_cast<std::size_t>(row)] == label);
      CHECK(std::equal(set.train.pixels.begin() + static_cast<std::ptrdiff_t>(i * 3072),
                       set.train.pixels.begin() + static_cast<std::ptrdiff_t>((i + 1) * 3072),
                       back.train.pixels.begin() + row * 3072));
      ++row;
    }
  }
}

TEST_CASE("folder: classes alone give every tenth image to the test split") {
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i) put_png(folder / ("a/" + std::to_string(100 + i) + ".png"), 4, 4, 1, 10);
  for (int i = 0; i < 3; ++i)
    put_png(folder / ("b/" + std::to_string(i) + ".PNG"), 4, 4, 1, static_cast<std::uint8_t>(i));
  put(folder / "b/notes.txt", {1, 2});
  put(folder / "b/.hidden.png", {1, 2});
  const Dataset set = load_dataset("folder:" + folder.path() + ",size=8");
  CHECK(set.height == 8);
  CHECK(set.channels == 1);
  CHECK(set.train.count() == 18 + 2);
  REQUIRE(set.test.count() == 3);
  CHECK(set.test.labels == std::vector<std::int32_t>{0, 0, 1});
  CHECK(set.test.pixels.back() == 2);
}

TEST_CASE("folder: mixed pictures become colour, of one size") {
  const TemporaryFolder folder;
  for (const std::string name : {"train/a/", "train/b/", "test/a/", "test/b/"}) {
    put_png(folder / (name + "grey.png"), 40, 20, 1, 77);
    put(folder / (name + "photo.jpeg"), jpeg(17, 33, 120));
  }
  const Dataset set = load_dataset("folder:" + folder.path(), {.folder_size = 16});
  CHECK(set.channels == 3);
  CHECK(set.train.count() == 4);
  for (std::size_t i = 0; i < 768; ++i) CHECK(set.train.pixels[i] == 77);
  for (std::size_t i = 768; i < 1536; ++i) CHECK(std::abs(set.train.pixels[i] - 120) <= 2);
}

TEST_CASE("fit_square: the centre is cropped, shrinking averages, growing interpolates") {
  Picture wide{2, 4, 1, {0, 10, 30, 255, 0, 20, 40, 255}};
  CHECK(fit_square(wide, 2).pixels == Bytes{10, 30, 20, 40});
  CHECK(fit_square(wide, 1).pixels == Bytes{25});
  const Picture grown = fit_square(Picture{2, 2, 1, {0, 100, 0, 100}}, 4);
  CHECK(grown.pixels[0] == 0);
  CHECK(grown.pixels[1] == 25);
  CHECK(grown.pixels[2] == 75);
  CHECK(grown.pixels[3] == 100);
  Picture board{64, 64, 1, Bytes(64 * 64)};
  for (std::size_t i = 0; i < board.pixels.size(); ++i) board.pixels[i] = (i / 64 + i) % 2 ? 200 : 0;
  for (const std::uint8_t value : fit_square(board, 8).pixels) CHECK(std::abs(value - 100) <= 8);
}

TEST_CASE("folder: missing folders and damaged pictures are input errors that name them") {
  const TemporaryFolder folder;
  const auto load = [&] { load_dataset("folder:" + folder.path()); };
  CHECK(failure_of([&] { load_dataset("folder:" + (folder / "nowhere")); }).blames("nowhere"));
  CHECK(failure_of(load).blames("class folders"));
  for (int i = 0; i < 4; ++i) {
    put_png(folder / ("a/" + std::to_string(i) + ".png"), 9, 9, 3, 5);
    put_png(folder / ("b/" + std::to_string(i) + ".png"), 9, 9, 3, 5);
  }
  CHECK_FALSE(failure_of(load).failed);

  const Bytes good = read_bytes(folder / "a/1.png", 1 << 20);
  put(folder / "a/1.png", Bytes(good.begin(), good.end() - 20));
  CHECK(failure_of(load).blames("a/1.png"));
  put(folder / "a/1.png", Bytes(good.begin(), good.begin() + 30));
  CHECK(failure_of(load).blames("a/1.png"));
  put(folder / "a/1.png", {});
  CHECK(failure_of(load).blames("a/1.png"));
  put(folder / "a/1.png", {'h', 'e', 'l', 'l', 'o'});
  CHECK(failure_of(load).blames("a/1.png"));
  put(folder / "a/1.png", good);

  const Bytes photo = jpeg(50, 50, 99);
  put(folder / "b/photo.jpg", Bytes(photo.begin(), photo.end() - 10));
  CHECK(failure_of(load).blames("b/photo.jpg: this JPEG is cut short"));
  std::filesystem::remove(folder / "b/photo.jpg");

  std::filesystem::create_directories(folder / "c");
  CHECK(failure_of(load).blames(folder / "c: no .png"));
}

TEST_CASE("folder: train and test must have the same classes") {
  const TemporaryFolder folder;
  for (const std::string name : {"train/a/", "train/b/", "test/a/"}) put_png(folder / (name + "0.png"), 4, 4, 1, 1);
  const auto load = [&] { load_dataset("folder:" + folder.path()); };
  CHECK(failure_of(load).blames("/test: its class folders (a) are not those of train (a, b)"));
  std::filesystem::remove_all(folder / "test");
  CHECK(failure_of(load).blames("none called test"));
}

TEST_CASE("decode_picture: what the decoder quotes from a damaged file cannot break the line") {
  // Signature and IHDR of a 1x1 PNG, then a chunk whose type begins with a line feed.
  const Bytes png = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D',  'R', 0,    0,   0, 1, 0, 0, 0,
                     1,    8,   2,   0,   0,  0,  0,  0,  0, 0, 0, 0,  0,   0,   '\n', 'B', 0x1b, 'D', 0, 0, 0, 0};
  CHECK(failure_of([&] { decode_picture(png.data(), png.size(), "odd.png"); }).blames("odd.png: cannot decode"));
}

TEST_CASE("decode_picture: a JPEG whose Huffman table promises more codes than there can be is refused") {
  const Bytes good = jpeg(16, 16, 90);
  const auto decode = [](const Bytes& bytes) { decode_picture(bytes.data(), bytes.size(), "photo.jpg"); };
  const Bytes marker = {0xff, 0xc4};
  Bytes bad = good;
  const auto table = std::search(bad.begin(), bad.end(), marker.begin(), marker.end());
  REQUIRE(bad.end() - table > 21);
  std::fill(table + 5, table + 21, 255);
  CHECK(failure_of([&] { decode(bad); }).blames("photo.jpg: this JPEG is damaged"));
  bad.insert(bad.begin(), 0xff);  // the decoder skips fill bytes
  CHECK(failure_of([&] { decode(bad); }).blames("photo.jpg: this JPEG is damaged"));

  // stb_image marks with 255 what its quick table does not hold, and so mistakes the last of 256 codes.
  Bytes full = good;
  const auto first = std::search(full.begin(), full.end(), marker.begin(), marker.end());
  std::fill(first + 5, first + 21, 0);
  first[12] = 254;  // of 8 bits
  first[13] = 2;    // of 9
  CHECK(failure_of([&] { decode(full); }).blames("photo.jpg: this JPEG is damaged (a Huffman table"));

  // A colour profile may hold the same bytes.
  Bytes profile = {0xff, 0xe2, 0, 24, 0xff, 0xc4, 0, 20, 0};
  profile.resize(26, 255);
  Bytes with_profile = good;
  with_profile.insert(with_profile.begin() + 2, profile.begin(), profile.end());
  CHECK_FALSE(failure_of([&] { decode(good); }).failed);
  CHECK_FALSE(failure_of([&] { decode(with_profile); }).failed);
}

TEST_CASE("decode_picture: a JPEG without its Huffman tables gives the same picture each time") {
  Bytes bare = jpeg(16, 16, 90);
  const Bytes marker = {0xff, 0xc4};
  for (auto at = bare.end();
       (at = std::search(bare.begin(), bare.end(), marker.begin(), marker.end())) != bare.end();) {
    bare.erase(at, at + 2 + (at[2] << 8 | at[3]));
  }
  const auto pixels = [&] { return decode_picture(bare.data(), bare.size(), "bare.jpg").pixels; };
  const Bytes first = pixels();
  { const std::vector<Bytes> rubbish(64, Bytes(20000, 0xa5)); }  // the decoder's next memory is some of this
  CHECK(pixels() == first);
}

TEST_CASE("decode_picture: a picture of over 64 megapixels is refused by its header") {
  // Signature and IHDR of a 16384x16384 RGB PNG; nothing follows.
  const Bytes header = {0x89, 'P',  'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0,   0,   0x40, 0,  0,
                        0,    0x40, 0,   8,   2,  0,  0,  0,  0, 0, 0, 0,  0,   0,   0,   0,   'I', 'D', 'A',  'T'};
  CHECK(failure_of([&] { decode_picture(header.data(), header.size(), "huge.png"); }).blames("huge.png: 16384x16384"));
}
