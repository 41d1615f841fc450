#include "data/npz.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "data/mpiigaze.h"
#include "tests/support/temporary_folder.h"

namespace retort::test {
namespace {

// numpy 1.24: savez_compressed(image=(2, 2, 3) u1, gaze=(2, 2) f8, pose=(2, 2) f4, person=(2) i8), and savez(a=(2) f4).
const char* compressed =
    "504b0304140000000800000021001b2f4379540000008c00000009001400696d6167652e6e7079010010008c000000000000005400000000"
    "0000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e536aa8aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416"
    "a402f91a463a0a4064aca9a350ab401ee06210d1b00948a9e859b0e5c41d00504b030414000000080000002100d640658755000000a00000"
    "000800140067617a652e6e707901001000a00000000000000055000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e93"
    "66a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a0a469a3a0ab50a64032e063078600fa12fec87d0"
    "1fa07c060700504b03041400000008000000210073b915e34f0000009000000008001400706f73652e6e7079010010009000000000000000"
    "4f000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f54529498179f5f94920a12774bcc294e05"
    "8a17672416a402f91a463a0a469a3a0ab50a64032e0608b0676068b0033100504b030414000000080000002100036dde8b49000000900000"
    "000a001400706572736f6e2e6e707901001000900000000000000049000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a0"
    "6e9369a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a9a3a0ab50a14002e06286086d200504b0102"
    "1403140000000800000021001b2f4379540000008c000000090000000000000000000000800100000000696d6167652e6e7079504b010214"
    "0314000000080000002100d640658755000000a000000008000000000000000000000080018f00000067617a652e6e7079504b0102140314"
    "00000008000000210073b915e34f0000009000000008000000000000000000000080011e010000706f73652e6e7079504b01021403140000"
    "00080000002100036dde8b49000000900000000a00000000000000000000008001a7010000706572736f6e2e6e7079504b05060000000004"
    "000400db0000002c0200000000";
const char* stored =
    "504b030414000000000000002100d6434b05880000008800000005001400612e6e7079010010008800000000000000880000000000000093"
    "4e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065"
    "273a2028322c292c207d20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20202020202020202020202020200a0000c03f000000c0504b0102140314000000000000002100d6434b0588000000880000000500000000"
    "00000000000000800100000000612e6e7079504b0506000000000100010033000000bf0000000000";

Bytes bytes_of(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::map<std::string, NpyArray> parse(const Bytes& bytes, std::size_t limit = 1 << 20) {
  return parse_npz(bytes.data(), bytes.size(), {"a", "image", "gaze", "pose", "person"}, limit, "x.npz");
}

using Shape = std::vector<std::int64_t>;

void put_number(Bytes& to, std::uint64_t value, int count) {
  for (; count > 0; --count, value >>= 8) to.push_back(static_cast<std::uint8_t>(value));
}

Bytes npy(const std::string& descr, const std::string& shape, const Bytes& content,
          const std::string& order = "False") {
  const std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  Bytes bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  put_number(bytes, header.size(), 2);
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

/// A ZIP archive of files that are not packed.
Bytes zipped(const std::vector<std::pair<std::string, Bytes>>& files) {
  Bytes zip, directory;
  for (const auto& [name, file] : files) {
    // Version to unpack, flags, method, time, date, checksum, sizes, lengths of name and extra.
    const auto common = [&, &content = file, &called = name](Bytes& to) {
      put_number(to, 20, 2), put_number(to, 0, 8), put_number(to, crc32_of(content.data(), content.size()), 4);
      put_number(to, content.size(), 4), put_number(to, content.size(), 4);
      put_number(to, called.size(), 2), put_number(to, 0, 2);
    };
    put_number(directory, 0x02014b50, 4), put_number(directory, 20, 2), common(directory);
    put_number(directory, 0, 10), put_number(directory, zip.size(), 4);  // comment, disk, attributes; offset
    directory.insert(directory.end(), name.begin(), name.end());
    put_number(zip, 0x04034b50, 4), common(zip);
    zip.insert(zip.end(), name.begin(), name.end());
    zip.insert(zip.end(), file.begin(), file.end());
  }
  const std::size_t at = zip.size();
  zip.insert(zip.end(), directory.begin(), directory.end());
  put_number(zip, 0x06054b50, 4), put_number(zip, 0, 4), put_number(zip, files.size(), 2);
  put_number(zip, files.size(), 2), put_number(zip, directory.size(), 4), put_number(zip, at, 4), put_number(zip, 0, 2);
  return zip;
}

Bytes archive(const std::string& descr, const std::string& shape, const Bytes& content,
              const std::string& order = "False") {
  return zipped({{"a.npy", npy(descr, shape, content, order)}});
}

/// The archive with other bytes so far into the first entry of its directory.
Bytes with_entry(Bytes zip, std::size_t offset, const Bytes& bytes) {
  const Bytes signature{'P', 'K', 1, 2};
  const auto entry = std::search(zip.begin(), zip.end(), signature.begin(), signature.end());
  std::copy(bytes.begin(), bytes.end(), entry + static_cast<std::ptrdiff_t>(offset));
  return zip;
}
constexpr std::size_t flags_at = 8, unpacked_at = 24;

bool refused(const Bytes& bytes, const std::string& word = "") {
  const Failure failure = failure_of([&] { parse(bytes); });
  return failure.failed && failure.kind == ErrorKind::input && failure.blames("x.npz") && failure.says(word);
}

}  // namespace

TEST_CASE("npz: what numpy wrote") {
  const auto arrays = parse(bytes_of(compressed));
  REQUIRE(arrays.size() == 4);
  CHECK(arrays.at("image").shape == Shape{2, 2, 3});
  CHECK(arrays.at("image").type == NpyArray::Type::u8);
  CHECK(arrays.at("image").bytes == Bytes{0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220});
  CHECK(arrays.at("gaze").floats() == std::vector<float>{0.5F, -0.25F, 1, 2});
  CHECK(arrays.at("person").floats() == std::vector<float>{0, 3});
  const auto one = parse(bytes_of(stored));
  CHECK(one.at("a").shape == Shape{2});
  CHECK(one.at("a").floats() == std::vector<float>{1.5F, -2});
}

TEST_CASE("npz: one written by hand, and what is refused") {
  CHECK(parse(archive("|u1", "(3,)", {1, 2, 3})).at("a").floats() == std::vector<float>{1, 2, 3});
  CHECK(parse(archive("|u1", "()", {7})).at("a").shape.empty());
  CHECK(parse(archive("<f4", "(0, 5)", {})).at("a").count() == 0);
  CHECK(refused(archive("<f2", "(1,)", {1, 2}), "<f2"));
  CHECK(refused(archive("|u1", "(3,)", {1, 2, 3}, "True"), "Fortran"));
  CHECK(refused(archive("|u1", "(4,)", {1, 2, 3}), "shape"));
  CHECK(refused(archive("|u1", "(2,)", {1, 2, 3}), "shape"));
  CHECK(refused(archive("|u1", "(999999999999, 999999999999, 999999999999)", {1, 2, 3}), "shape"));
  CHECK(refused(archive("|u1", "(99999999999999999999,)", {1})));
  CHECK(refused(archive("|u1", "(1,", {1})));
  CHECK(refused(archive("|u1", "(1,1,1,1,1,1,1,1,1)", {1}), "dimensions"));
  const auto a = std::make_pair(std::string("a.npy"), npy("|u1", "(1,)", {1}));
  CHECK(refused(zipped({a, a}), "twice"));
  CHECK(refused(with_entry(bytes_of(compressed), flags_at, {1, 0}), "encrypted"));
}

TEST_CASE("npz: what is not asked for is not unpacked") {
  const Bytes bytes = with_entry(bytes_of(compressed), unpacked_at, {0, 0, 0, 0xff});  // the image claims 4 GB
  const auto arrays = parse_npz(bytes.data(), bytes.size(), {"gaze", "nose"}, 200, "x.npz");
  REQUIRE(arrays.size() == 1);
  CHECK(arrays.at("gaze").count() == 4);
  CHECK(parse(zipped({{"readme.txt", {1}}, {"a", {1}}})).empty());
}

TEST_CASE("npz: no more memory than allowed, whatever a file claims") {
  const Bytes whole = bytes_of(compressed);
  CHECK(parse(whole, 588).size() == 4);  // 140 + 160 + 144 + 144
  CHECK(failure_of([&] { parse(whole, 587); }).blames("x.npz: unpacks to 588 bytes"));
  CHECK(refused(with_entry(whole, unpacked_at, {0, 0, 0, 0xff}), "more than 1048576"));
  CHECK(refused(with_entry(whole, unpacked_at, {139, 0, 0, 0}), "unpacks to more than 139"));
  CHECK(refused(with_entry(whole, unpacked_at, {141, 0, 0, 0}), "damaged"));
  CHECK(refused(with_entry(whole, unpacked_at, {0xff, 0xff, 0xff, 0xff}), "ZIP64"));
  CHECK(refused(with_entry(bytes_of(stored), unpacked_at, {0, 0, 0, 0}), "damaged"));
  Bytes many = whole, far = whole;
  std::fill_n(many.end() - 12, 2, std::uint8_t{0xff});  // how many files
  std::fill_n(far.end() - 6, 4, std::uint8_t{0xff});    // where the directory is
  CHECK(refused(many, "ZIP64"));
  CHECK(refused(far, "ZIP64"));
}

TEST_CASE("npz: every byte cut off or changed is noticed, or does not matter") {
  const Bytes whole = bytes_of(compressed);
  for (std::ptrdiff_t n = 0; n < static_cast<std::ptrdiff_t>(whole.size()); ++n) {
    CHECK(refused({whole.begin(), whole.begin() + n}));
  }
  const auto good = parse(whole);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes changed = whole;
    changed[i] ^= 0x41;
    try {
      for (const auto& [name, array] : parse(changed)) {
        if (good.count(name) > 0) CHECK(array.bytes == good.at(name).bytes);
      }
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
    }
  }
}

TEST_CASE("mpiigaze: one person is left out") {
  const TemporaryFolder folder;
  put(folder / "eyes.npz", bytes_of(compressed));
  const Dataset data = load_mpiigaze(folder / "eyes.npz,person=3");
  CHECK(data.height == 2);
  CHECK(data.width == 3);
  CHECK(data.channels == 1);
  CHECK(data.targets_are_angles);
  CHECK(data.train.count() == 1);
  CHECK(data.train.pixels == Bytes{0, 20, 40, 60, 80, 100});
  CHECK(data.train.targets == std::vector<float>{0.5F, -0.25F});
  CHECK(data.train.auxiliary == std::vector<float>{0, 0.5F});
  CHECK(data.test.targets == std::vector<float>{1, 2});
  CHECK(data.test.source == std::vector<std::int32_t>{1});
  CHECK(load_dataset("mpiigaze:" + (folder / "eyes.npz")).test.source == std::vector<std::int32_t>{0});
  const Failure nobody = failure_of([&] { load_mpiigaze(folder / "eyes.npz,person=5"); });
  CHECK(nobody.says("person 5"));
  CHECK(data.mean[0] == 0.5F);
  CHECK(data.std[0] == 0.25F);
}

TEST_CASE("mpiigaze: a file of another kind is refused") {
  const TemporaryFolder folder;
  put(folder / "one.npz", bytes_of(stored));
  CHECK(failure_of([&] { load_mpiigaze(folder / "one.npz"); }).says("no array 'image'"));
  for (const char* person : {"x", "-1", "15", "1.5", ""}) {
    CAPTURE(std::string(person));
    CHECK(failure_of([&] { load_mpiigaze(folder / "one.npz,person=" + person); }).kind == ErrorKind::usage);
  }
  for (const std::uint8_t person : {14, 15}) {
    put(folder / "eyes.npz", zipped({{"image.npy", npy("|u1", "(2, 1, 1)", {1, 2})},
                                     {"gaze.npy", npy("|u1", "(2, 2)", {0, 0, 1, 1})},
                                     {"pose.npy", npy("|u1", "(2, 2)", {0, 0, 1, 1})},
                                     {"person.npy", npy("|u1", "(2,)", {0, person})}}));
    const Failure failure = failure_of([&] { load_mpiigaze(folder / "eyes.npz"); });
    CHECK(failure.failed == (person == 15));
    CHECK(failure.says("not 0 to 14") == (person == 15));
  }
  CHECK(failure_of([&] { load_mpiigaze(folder / "none.npz"); }).kind == ErrorKind::input);
}

}  // namespace retort::test
