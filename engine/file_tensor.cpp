// FileTensor: the values of one tensor of a file, converted.
#include <cmath>
#include <cstring>

#include "engine/safetensors.h"
#include "kernels/error.h"
#include "kernels/types.h"

namespace retort {
namespace {

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  float magnitude;
  if (exponent == 31) {
    magnitude = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// Elements of type T in the file, each through `convert`.
template <typename T, typename Result, typename Convert>
std::vector<Result> converted(const FileTensor& tensor, const Convert& convert) {
  std::vector<Result> out(tensor.bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, tensor.bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = convert(value);
  }
  return out;
}

template <typename T, typename Result>
std::vector<Result> cast(const FileTensor& tensor) {
  return converted<T, Result>(tensor, [](T value) { return static_cast<Result>(value); });
}

template <typename T>
FileTensor from(FileDType dtype, const std::vector<T>& values, std::vector<std::int64_t> shape) {
  FileTensor tensor{dtype, std::move(shape), std::vector<std::uint8_t>(values.size() * sizeof(T))};
  RETORT_CHECK(tensor.count() == static_cast<std::int64_t>(values.size()), "a file tensor of ", tensor.count(),
               " elements is given ", values.size());
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

}  // namespace

std::int64_t FileTensor::count() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) {
    RETORT_CHECK(extent >= 0 && !__builtin_mul_overflow(product, extent, &product), "extent ", extent,
                 " of a file tensor");
  }
  return product;
}

std::vector<float> FileTensor::to_floats() const {
  switch (dtype) {
    case FileDType::f32:
      return cast<float, float>(*this);
    case FileDType::f64:
      return cast<double, float>(*this);
    case FileDType::f16:
      return converted<std::uint16_t, float>(*this, half_to_float);
    case FileDType::bf16:
      return cast<bfloat16, float>(*this);
    case FileDType::i64:
      return cast<std::int64_t, float>(*this);
    case FileDType::i32:
      return cast<std::int32_t, float>(*this);
    case FileDType::i16:
      return cast<std::int16_t, float>(*this);
    case FileDType::i8:
      return cast<std::int8_t, float>(*this);
    case FileDType::u8:
    case FileDType::boolean:
      return cast<std::uint8_t, float>(*this);
  }
  fail(ErrorKind::internal, "unknown file dtype");
}

std::vector<std::int64_t> FileTensor::to_integers() const {
  switch (dtype) {
    case FileDType::i64:
      return cast<std::int64_t, std::int64_t>(*this);
    case FileDType::i32:
      return cast<std::int32_t, std::int64_t>(*this);
    case FileDType::i16:
      return cast<std::int16_t, std::int64_t>(*this);
    case FileDType::i8:
      return cast<std::int8_t, std::int64_t>(*this);
    case FileDType::u8:
    case FileDType::boolean:
      return cast<std::uint8_t, std::int64_t>(*this);
    default:
      fail(ErrorKind::input, "a tensor of floating-point numbers where integers are expected");
  }
}

FileTensor FileTensor::of(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return from(FileDType::f32, values, std::move(shape));
}
FileTensor FileTensor::of(const std::vector<std::int32_t>& values, std::vector<std::int64_t> shape) {
  return from(FileDType::i32, values, std::move(shape));
}
FileTensor FileTensor::of(const std::vector<std::int64_t>& values, std::vector<std::int64_t> shape) {
  return from(FileDType::i64, values, std::move(shape));
}
FileTensor FileTensor::of(const std::vector<std::uint8_t>& values, std::vector<std::int64_t> shape) {
  return from(FileDType::u8, values, std::move(shape));
}

}  // namespace retort
