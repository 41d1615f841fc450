// Operands in the memory of a backend, with guard bytes on both sides that are checked when the operand goes away.
// Outputs start as NaN, so that an entry nobody wrote shows; inputs must come back bit for bit.
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "tests/reference/values.h"
#include "tests/support/backend.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace retort::test {

using reference::Values;

/// The bytes of values in an element type, rounded as the type rounds.
inline std::vector<std::uint8_t> encode(DType dtype, const Values& values) {
  std::vector<std::uint8_t> bytes(values.size() * size_of(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint8_t* to = bytes.data() + i * size_of(dtype);
    const auto put = [to](auto value) { std::memcpy(to, &value, sizeof value); };
    if (dtype == DType::f32) put(static_cast<float>(values[i]));
    if (dtype == DType::bf16) put(bfloat16(static_cast<float>(values[i])));
    if (dtype == DType::i32) put(static_cast<std::int32_t>(values[i]));
    if (dtype == DType::u8) put(static_cast<std::uint8_t>(values[i]));
  }
  return bytes;
}

inline Values decode(DType dtype, const std::vector<std::uint8_t>& bytes) {
  Values values(bytes.size() / size_of(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint8_t* from = bytes.data() + i * size_of(dtype);
    const auto get = [from](auto value) {
      std::memcpy(&value, from, sizeof value);
      return value;
    };
    if (dtype == DType::f32) values[i] = get(0.0F);
    if (dtype == DType::bf16) values[i] = static_cast<float>(get(bfloat16()));
    if (dtype == DType::i32) values[i] = get(std::int32_t{});
    if (dtype == DType::u8) values[i] = get(std::uint8_t{});
  }
  return values;
}

class Buffer {
 public:
  enum class Use { input, inout, output };
  static constexpr std::size_t guard_bytes = 256;  // keeps the alignment of allocate()
  static constexpr std::uint8_t guard_value = 0xA7;

  Buffer(const Backend& backend, DType dtype, std::vector<std::uint8_t> bytes, Use use)
      : backend_(backend), dtype_(dtype), use_(use), initial_(std::move(bytes)) {
    std::vector<std::uint8_t> block(initial_.size() + 2 * guard_bytes, guard_value);
    std::copy(initial_.begin(), initial_.end(), block.begin() + guard_bytes);
    block_ = static_cast<std::uint8_t*>(backend_.allocate(block.size()));
    backend_.copy_bytes({}, block_, block.data(), block.size());
    backend_.synchronize({});
    poison_guards(true);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    // Not CHECK_MESSAGE, which would give its message to any exception that destroys this.
    if (!guards_intact()) FAIL_CHECK("a kernel wrote outside its operand of " << initial_.size() << " bytes");
    if (use_ == Use::input && bytes() != initial_) {
      FAIL_CHECK("a kernel changed an input of " << initial_.size() << " bytes");
    }
    poison_guards(false);
    backend_.deallocate(block_);
  }

  bool guards_intact() const {
    poison_guards(false);
    const std::vector<std::uint8_t> block = read(block_, initial_.size() + 2 * guard_bytes);
    poison_guards(true);
    bool intact = true;
    for (std::size_t i = 0; i < guard_bytes; ++i) {
      intact = intact && block[i] == guard_value && block[block.size() - 1 - i] == guard_value;
    }
    return intact;
  }

  void* data() const { return block_ + guard_bytes; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data());
  }
  float* f32() const { return as<float>(); }
  std::int32_t* i32() const { return as<std::int32_t>(); }
  std::vector<std::uint8_t> bytes() const { return read(data(), initial_.size()); }
  Values values() const { return decode(dtype_, bytes()); }
  DType dtype() const { return dtype_; }

 private:
  std::vector<std::uint8_t> read(const void* from, std::size_t count) const {
    std::vector<std::uint8_t> host(count);
    if (count != 0) backend_.copy_bytes({}, host.data(), from, count);
    backend_.synchronize({});
    return host;
  }

  /// Under the address sanitizer a guard may not even be read.
  void poison_guards([[maybe_unused]] bool poison) const {
#if defined(__SANITIZE_ADDRESS__)
    if (backend_.device != Device::cpu) return;
    if (poison) {
      __asan_poison_memory_region(block_, guard_bytes);
      __asan_poison_memory_region(block_ + guard_bytes + initial_.size(), guard_bytes);
    } else {
      __asan_unpoison_memory_region(block_, initial_.size() + 2 * guard_bytes);
    }
#endif
  }

  const Backend& backend_;
  DType dtype_;
  Use use_;
  std::vector<std::uint8_t> initial_;
  std::uint8_t* block_ = nullptr;
};

inline Buffer input(const Backend& backend, DType dtype, const Values& values) {
  return Buffer(backend, dtype, encode(dtype, values), Buffer::Use::input);
}
/// Read and written by the kernel.
inline Buffer inout(const Backend& backend, DType dtype, const Values& values) {
  return Buffer(backend, dtype, encode(dtype, values), Buffer::Use::inout);
}
/// NaN everywhere (minus one for integers).
inline Buffer output(const Backend& backend, DType dtype, std::size_t count) {
  return Buffer(backend, dtype, std::vector<std::uint8_t>(count * size_of(dtype), 0xFF), Buffer::Use::output);
}

/// A struct in device memory.
template <typename T>
class DeviceStruct {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceStruct(const Backend& backend, const T& value, Buffer::Use use = Buffer::Use::inout)
      : buffer_(backend, DType::u8, to_bytes(value), use) {}
  T* data() const { return buffer_.template as<T>(); }
  T get() const {
    T value;
    std::memcpy(static_cast<void*>(&value), buffer_.bytes().data(), sizeof value);
    return value;
  }

 private:
  static std::vector<std::uint8_t> to_bytes(const T& value) {
    std::vector<std::uint8_t> bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
  }
  Buffer buffer_;
};

/// Scratch memory of exactly the size a family asked for, full of NaN, and tickets, which have to be left as they were.
class Workspace {
 public:
  Workspace(const Backend& backend, std::size_t bytes, Precision precision = Precision::fp32)
      : buffer_(output(backend, DType::u8, bytes)),
        tickets_(input(backend, DType::i32, Values(Launch::kTickets, 0.0))),
        bytes_(bytes),
        precision_(precision) {}
  Launch launch() const { return {nullptr, buffer_.data(), bytes_, precision_, tickets_.as<std::uint32_t>()}; }

 private:
  Buffer buffer_, tickets_;
  std::size_t bytes_;
  Precision precision_;
};

}  // namespace retort::test
