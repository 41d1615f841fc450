// Every way a file can be wrong, one by one: each gives Error(input) in one line that names the file.
#include <doctest/doctest.h>

#include <cstring>

#include "engine/safetensors.h"
#include "kernels/philox.h"
#include "tests/engine/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace retort::test {
namespace {

/// A file with this header and that many bytes of data.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

TensorFile parse(const std::string& bytes) {
  return parse_safetensors(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "model.safetensors");
}

void check_refused(const std::string& bytes, const std::string& reason) {
  const std::string message = message_of(ErrorKind::input, [&] { parse(bytes); });
  check_contains(message, "model.safetensors");
  check_contains(message, reason);
  CHECK(message.find('\n') == std::string::npos);
}

void check_header_refused(const std::string& header, const std::string& reason, std::size_t data_bytes = 4) {
  INFO(header);
  check_refused(file_of(header, data_bytes), reason);
}

/// The header of one tensor 'a'.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

const std::string good = one("F32", "[1]", "[0,4]");

}  // namespace

TEST_CASE("safetensors: the file the malformed ones are made from is good, and may be padded") {
  CHECK(parse(file_of(good, 4)).at("a").count() == 1);
  CHECK(parse(file_of(good + "     ", 4)).has("a"));
  CHECK(parse(file_of(R"({"a":{"data_offsets":[0,4],"shape":[],"dtype":"I32"}})", 4)).at("a").shape.empty());
}

TEST_CASE("safetensors: a missing file, a folder and an empty file are refused") {
  const TemporaryFolder folder;
  check_contains(message_of(ErrorKind::input, [&] { read_safetensors(folder / "none"); }), "No such file");
  message_of(ErrorKind::input, [&] { read_safetensors(folder / ""); });
  std::ofstream(folder / "empty").close();
  check_contains(message_of(ErrorKind::input, [&] { read_safetensors(folder / "empty"); }), "0 bytes");
  check_refused("", "0 bytes");
}

TEST_CASE("safetensors: every truncation of a good file is refused, and so is anything behind its end") {
  const TemporaryFolder folder;
  const std::string whole = file_of(good, 4);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO("size " << size);
    check_refused(whole.substr(0, size), "");
    std::ofstream(folder / "cut", std::ios::binary) << whole.substr(0, size);
    message_of(ErrorKind::input, [&] { read_safetensors(folder / "cut"); });
  }
  check_refused(whole + "x", "describes 4 bytes of data, the file has 5");
}

TEST_CASE("safetensors: a header length beyond the file or the limit is refused before anything is allocated") {
  for (const std::uint64_t length : {std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{100'000'001}}) {
    std::string bytes = file_of(good, 4);
    std::memcpy(bytes.data(), &length, 8);
    check_refused(bytes, "more than 100000000");
  }
  std::string bytes = file_of(good, 4);
  const std::uint64_t length = good.size() + 5;
  std::memcpy(bytes.data(), &length, 8);
  check_refused(bytes, "the file has");
}

TEST_CASE("safetensors: a header that is not a JSON object is refused") {
  for (const char* header : {"", "[]", "null", "1", "\"a\"", " {}", "\xef\xbb\xbf{}"}) {
    check_header_refused(header, "not a JSON object", 0);
  }
  for (const char* header : {"{", "{}x", "{}{}", "{\"a\"}", "{'a':1}", "{,}", "{\"\xff\":{}}"}) {
    check_header_refused(header, "not JSON", 0);
  }
  check_header_refused(std::string("{}\0 {}", 6), "zero byte", 0);
  check_header_refused(std::string(100'000, '{'), "header", 0);
  check_header_refused("{\"a\":" + std::string(100'000, '['), "misplaced array", 0);
  check_header_refused("{\"a\":{\"shape\":" + std::string(100'000, '['), "misplaced array", 0);
}

TEST_CASE("safetensors: a tensor must have its three fields, once, and no others") {
  check_header_refused(R"({"a":{"dtype":"F32","shape":[1]}})", "lacks");
  check_header_refused(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", "lacks");
  check_header_refused(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", "lacks");
  check_header_refused(R"({"a":{}})", "lacks");
  check_header_refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":[1]}})", "unknown field 'x'");
  check_header_refused(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                       "duplicate key 'dtype'");
  check_header_refused(R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})",
                       "duplicate key 'shape'");
}

TEST_CASE("safetensors: names occur once") {
  const std::string a = good.substr(1, good.size() - 2);
  check_header_refused("{" + a + "," + a + "}", "duplicate name 'a'");
  check_header_refused(R"({"__metadata__":{"k":"1","k":"2"}})", "duplicate key 'k'", 0);
  check_header_refused(R"({"__metadata__":{},"__metadata__":{}})", "duplicate name '__metadata__'", 0);
}

TEST_CASE("safetensors: a name with control characters stays in one line") {
  check_header_refused(R"({"a\nb\u0000":{"dtype":"F3"}})", "lacks");
  check_header_refused(R"({"a\nb":{"dtype":"F3","shape":[1],"data_offsets":[0,4]}})", "'a?b'");
}

TEST_CASE("safetensors: metadata are strings") {
  for (const char* value : {"1", "-1", "1.5", "null", "true", "[]", "{}", "[\"a\"]"}) {
    check_header_refused(R"({"__metadata__":{"k":)" + std::string(value) + "}}", "", 0);
  }
  check_header_refused(R"({"__metadata__":"k"})", "misplaced string", 0);
}

TEST_CASE("safetensors: an unknown dtype is refused") {
  check_header_refused(one("F33", "[1]", "[0,4]"), "unknown dtype 'F33'");
  check_header_refused(one("f32", "[1]", "[0,4]"), "unknown dtype");
  check_header_refused(one("", "[1]", "[0,4]"), "unknown dtype");
  check_header_refused(R"({"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}})", "misplaced number");
  check_header_refused(R"({"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}})", "misplaced array");
}

TEST_CASE("safetensors: extents are whole, not negative, and their product fits") {
  check_header_refused(one("F32", "[-1]", "[0,4]"), "negative");
  check_header_refused(one("F32", "[-0]", "[0,0]"), "negative", 0);
  check_header_refused(one("F32", "[1.0]", "[0,4]"), "not an integer");
  check_header_refused(one("F32", "[1e0]", "[0,4]"), "not an integer");
  check_header_refused(one("F32", "[18446744073709551616]", "[0,4]"), "not an integer");
  check_header_refused(one("F32", "[1e999]", "[0,4]"), "not JSON");
  check_header_refused(one("F32", "[\"1\"]", "[0,4]"), "misplaced string");
  check_header_refused(one("F32", "[null]", "[0,4]"), "null");
  check_header_refused(one("F32", "[[1]]", "[0,4]"), "misplaced array");
  check_header_refused(one("F32", "[{}]", "[0,4]"), "object");
  check_header_refused(one("F32", "1", "[0,4]"), "misplaced number");
  check_header_refused(one("F32", "[18446744073709551615]", "[0,4]"), "overflows");
  check_header_refused(one("U8", "[9223372036854775808]", "[0,4]"), "overflows");
  // 2^32 2^32 is 0 and (2^62 + 1) 4 is 4 modulo 2^64.
  check_header_refused(one("U8", "[4294967296,4294967296]", "[0,0]"), "overflows", 0);
  check_header_refused(one("F32", "[4611686018427387905]", "[0,4]"), "overflows");
  check_header_refused(one("F32", "[4611686018427387905,0]", "[0,0]"), "overflows", 0);
  check_header_refused(one("F32", "[1000000000000]", "[0,4]"), "for 4000000000000 bytes");
}

TEST_CASE("safetensors: offsets are two numbers that fit the shape") {
  check_header_refused(one("F32", "[1]", "[0]"), "two numbers");
  check_header_refused(one("F32", "[1]", "[0,4,8]"), "two numbers");
  check_header_refused(one("F32", "[1]", "[4,0]"), "offsets 4 to 0");
  check_header_refused(one("F32", "[1]", "[0,3]"), "for 4 bytes", 3);
  check_header_refused(one("F32", "[2]", "[0,4]"), "for 8 bytes");
  check_header_refused(one("F32", "[1]", "[-4,0]"), "negative");
  check_header_refused(one("F32", "[1]", "[18446744073709551612,0]"), "offsets");
  check_header_refused(one("F32", "[1]", "[0,4]"), "describes 4 bytes of data, the file has 3", 3);
}

TEST_CASE("safetensors: data lie one behind the other, without holes and without overlap") {
  const auto two = [](const std::string& a, const std::string& b) {
    const std::string rest = R"({"dtype":"F32","shape":[1],"data_offsets":)";
    return R"({"a":)" + rest + a + R"(},"b":)" + rest + b + "}}";
  };
  CHECK(parse(file_of(two("[4,8]", "[0,4]"), 8)).tensors.size() == 2);
  check_header_refused(one("F32", "[1]", "[4,8]"), "hole", 8);
  check_header_refused(two("[0,4]", "[8,12]"), "hole", 12);
  check_header_refused(two("[0,4]", "[0,4]"), "overlaps", 4);
  check_header_refused(two("[0,4]", "[2,6]"), "overlaps", 6);
}

TEST_CASE("safetensors: damaged files are read or refused, never more") {
  const std::string whole = file_of(
      R"({"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[2,2],"data_offsets":[4,8]},)" + good.substr(1), 8);
  CHECK(parse(whole).tensors.size() == 2);
  int refused = 0;
  for (std::uint32_t round = 0; round < 20'000; ++round) {
    const Philox4 bits = philox(1, Purpose::synthetic, round, 0, 0);
    std::string damaged = whole;
    damaged[to_below(bits.v[0], static_cast<std::uint32_t>(whole.size()))] = static_cast<char>(bits.v[1] & 0xff);
    if (bits.v[2] % 2 == 0) damaged[8 + to_below(bits.v[3], 120)] = "0123456789[]{},:\" -"[bits.v[1] % 19];
    try {
      parse(damaged);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) FAIL(error.what());
      ++refused;
    }
  }
  CHECK(refused > 10'000);
}

}  // namespace retort::test
