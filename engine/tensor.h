// Tensor: a small value: where the numbers are, what they are, and a share in the block that holds them.
#pragma once

#include <memory>

#include "engine/shape.h"
#include "kernels/types.h"

namespace retort {

class Tensor {
 public:
  Tensor() = default;
  /// A view of memory that somebody else keeps alive, or shares through `owner`.
  Tensor(Shape shape, DType dtype, Device device, void* data, std::shared_ptr<void> owner = nullptr)
      : shape_(shape), dtype_(dtype), device_(device), data_(data), owner_(std::move(owner)) {}

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }
  std::int64_t count() const { return shape_.count(); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype_); }
  explicit operator bool() const { return data_ != nullptr; }

  /// Untyped address; null for the empty tensor.
  void* data() const { return data_; }
  /// Typed address; the dtype is checked.
  template <typename T>
  T* as() const {
    RETORT_CHECK(dtype_of<T>() == dtype_, "a tensor of shape ", shape_, " is read as the wrong dtype");
    return static_cast<T*>(data_);
  }
  float* f32() const { return as<float>(); }
  std::int32_t* i32() const { return as<std::int32_t>(); }

  /// The same memory under another shape of equal count.
  Tensor reshaped(Shape shape) const {
    RETORT_CHECK(shape.count() == count(), "cannot reshape ", shape_, " to ", shape);
    Tensor view = *this;
    view.shape_ = shape;
    return view;
  }
  /// `count` entries of the first extent from `first` on, in the same memory.
  Tensor part(std::int64_t first, std::int64_t count) const {
    RETORT_CHECK(shape_.rank() > 0 && first >= 0 && count >= 0 && first + count <= shape_[0], "entries ", first, " to ",
                 first + count, " of ", shape_);
    const std::size_t stride = shape_[0] == 0 ? 0 : bytes() / static_cast<std::size_t>(shape_[0]);
    Tensor view = *this;
    view.shape_ = {count};
    for (int i = 1; i < shape_.rank(); ++i) view.shape_.append(shape_[i]);
    if (data_ != nullptr) view.data_ = static_cast<char*>(data_) + static_cast<std::size_t>(first) * stride;
    return view;
  }
  /// True when no other tensor shares the block, so that it may be overwritten.
  bool unshared() const { return owner_ && owner_.use_count() == 1; }

 private:
  template <typename T>
  static constexpr DType dtype_of() {
    if constexpr (std::is_same_v<T, float>) return DType::f32;
    if constexpr (std::is_same_v<T, bfloat16>) return DType::bf16;
    if constexpr (std::is_same_v<T, std::int32_t>) return DType::i32;
    if constexpr (std::is_same_v<T, std::uint8_t>) return DType::u8;
  }

  Shape shape_;
  DType dtype_ = DType::f32;
  Device device_ = Device::cpu;
  void* data_ = nullptr;
  std::shared_ptr<void> owner_;
};

}  // namespace retort
