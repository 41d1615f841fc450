#include "engine/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/engine/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace retort::test {
namespace {

TensorFile example() {
  TensorFile file;
  file.tensors["weight"] = FileTensor::of(std::vector<float>{1.5F, -2.0F, 0.0F, 3.25F, 1e-30F, -1e30F}, {2, 3});
  file.tensors["count"] = FileTensor::of(std::vector<std::int64_t>{1LL << 40}, {});
  file.tensors["labels"] = FileTensor::of(std::vector<std::int32_t>{-7, 8}, {2});
  file.tensors["empty"] = FileTensor::of(std::vector<float>{}, {4, 0});
  file.tensors["image \"quoted\"\n\xc3\xa9"] = FileTensor::of(std::vector<std::uint8_t>{0, 255, 3}, {3, 1});
  file.metadata = {{"format", "pt"}, {"note", "line\nbreak \\ \"quote\""}};
  return file;
}

TensorFile parse(const std::vector<std::uint8_t>& bytes) {
  return parse_safetensors(bytes.data(), bytes.size(), "x");
}

bool same(const TensorFile& a, const TensorFile& b) {
  if (a.metadata != b.metadata || a.tensors.size() != b.tensors.size()) return false;
  for (const auto& [name, tensor] : a.tensors) {
    if (!b.has(name)) return false;
    const FileTensor& other = b.at(name);
    if (tensor.dtype != other.dtype || tensor.shape != other.shape || tensor.bytes != other.bytes) return false;
  }
  return true;
}

FileTensor raw(FileDType dtype, std::vector<std::int64_t> shape, std::vector<std::uint8_t> bytes) {
  return {dtype, std::move(shape), std::move(bytes)};
}

}  // namespace

TEST_CASE("safetensors: what is written is read back, from memory and from a file") {
  const TensorFile file = example();
  CHECK(same(file, parse(serialize_safetensors(file))));
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", file);
  CHECK(same(file, read_safetensors(folder / "a.safetensors")));
  CHECK(folder.entries() == 1);
  CHECK(file.at("labels").to_integers() == std::vector<std::int64_t>{-7, 8});
}

TEST_CASE("safetensors: rewriting a file gives the same bytes") {
  const std::vector<std::uint8_t> once = serialize_safetensors(example());
  CHECK(serialize_safetensors(parse(once)) == once);
}

TEST_CASE("safetensors: the layout is the published one") {
  const std::vector<std::uint8_t> bytes = serialize_safetensors(example());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  const auto header = nlohmann::json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(length));
  CHECK(header["__metadata__"]["format"] == "pt");
  CHECK(header["weight"]["dtype"] == "F32");
  CHECK(header["weight"]["shape"] == nlohmann::json::array({2, 3}));
  CHECK(header["count"]["shape"] == nlohmann::json::array());
  const std::size_t begin = 8 + length + header["weight"]["data_offsets"][0].get<std::size_t>();
  float second = 0;
  std::memcpy(&second, bytes.data() + begin + 4, 4);
  CHECK(second == -2.0F);
}

TEST_CASE("safetensors: a file without tensors is a file") {
  CHECK(same(TensorFile{}, parse(serialize_safetensors(TensorFile{}))));
}

TEST_CASE("safetensors: every dtype becomes numbers") {
  using Floats = std::vector<float>;
  using Integers = std::vector<std::int64_t>;
  const double pi = 3.140625;
  std::vector<std::uint8_t> f64(8);
  std::memcpy(f64.data(), &pi, 8);
  CHECK(raw(FileDType::f64, {1}, f64).to_floats() == Floats{3.140625F});
  CHECK(raw(FileDType::bf16, {2}, {0x80, 0x3f, 0x49, 0xc0}).to_floats() == Floats{1.0F, -3.140625F});
  // 1, -2, the largest, the smallest normal, the smallest, minus infinity
  const auto half = raw(FileDType::f16, {6}, {0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x00, 0x04, 0x01, 0x00, 0x00, 0xfc});
  CHECK(half.to_floats() == Floats{1.0F, -2.0F, 65504.0F, 0x1p-14F, 0x1p-24F, -INFINITY});
  CHECK(std::isnan(raw(FileDType::f16, {1}, {0x01, 0x7c}).to_floats()[0]));
  CHECK(raw(FileDType::i16, {1}, {0xfe, 0xff}).to_integers() == Integers{-2});
  CHECK(raw(FileDType::i8, {2}, {0xff, 0x7f}).to_integers() == Integers{-1, 127});
  CHECK(raw(FileDType::u8, {1}, {0xff}).to_integers() == Integers{255});
  CHECK(raw(FileDType::boolean, {2}, {0, 1}).to_integers() == Integers{0, 1});
  CHECK(raw(FileDType::i8, {1}, {0xff}).to_floats() == Floats{-1.0F});
  CHECK(FileTensor::of(Integers{-5}, {1}).to_floats() == Floats{-5.0F});
  CHECK(FileTensor::of(std::vector<std::int32_t>{-5}, {1}).to_floats() == Floats{-5.0F});
  message_of(ErrorKind::input, [&] { half.to_integers(); });
}

TEST_CASE("safetensors: a tensor that is not there is named") {
  check_contains(message_of(ErrorKind::input, [] { example().at("bias"); }), "'bias'");
}

TEST_CASE("safetensors: what cannot be written is refused") {
  TensorFile file;
  file.tensors["a"] = raw(FileDType::f32, {2}, {1, 2, 3, 4});
  check_contains(message_of(ErrorKind::usage, [&] { serialize_safetensors(file); }), "'a'");
  message_of(ErrorKind::usage, [] { FileTensor::of(std::vector<float>{1, 2}, {3}); });
  TensorFile metadata;
  metadata.metadata["key"] = "\xff";
  message_of(ErrorKind::output, [&] { serialize_safetensors(metadata); });
}

TEST_CASE("safetensors: files that PyTorch's tensors were written to are read") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(RETORT_TEST_DIR) + "/golden")) {
    if (entry.path().extension() != ".safetensors") continue;
    INFO(entry.path().string());
    ++files;
    const TensorFile file = read_safetensors(entry.path().string());
    CHECK(file.metadata.at("net") == entry.path().stem().string());
    const std::vector<std::int64_t>& images = file.at("images").shape;  // (steps, batch, ...)
    REQUIRE(images.size() == 5);
    CHECK(file.at("labels").to_integers().size() == static_cast<std::size_t>(images[0] * images[1]));
    for (const float value : file.at("init.conv1.weight").to_floats()) CHECK(std::abs(value) < 10);
    CHECK(same(parse(serialize_safetensors(file)), file));
  }
  CHECK(files >= 2);
}

}  // namespace retort::test
