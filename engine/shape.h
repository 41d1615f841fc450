// Shape: up to four extents, row-major; images are (N, H, W, C).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "kernels/error.h"

namespace retort {

class Shape {
 public:
  static constexpr int max_rank = 4;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) {
    RETORT_CHECK(extents.size() <= max_rank, "a shape has at most ", max_rank, " extents, got ", extents.size());
    for (const std::int64_t extent : extents) {
      RETORT_CHECK(extent >= 0, "negative extent ", extent);
      extent_[static_cast<std::size_t>(rank_++)] = extent;
    }
  }

  int rank() const { return rank_; }
  std::int64_t operator[](int i) const { return extent_[static_cast<std::size_t>(i < 0 ? rank_ + i : i)]; }
  int at(int i) const { return static_cast<int>((*this)[i]); }
  void append(std::int64_t extent) {
    RETORT_CHECK(rank_ < max_rank, "a shape has at most ", max_rank, " extents");
    extent_[static_cast<std::size_t>(rank_++)] = extent;
  }
  std::int64_t count() const {
    std::int64_t product = 1;
    for (int i = 0; i < rank_; ++i) product *= extent_[static_cast<std::size_t>(i)];
    return product;
  }
  std::vector<std::int64_t> extents() const { return {extent_.begin(), extent_.begin() + rank_}; }
  bool operator==(const Shape& other) const { return rank_ == other.rank_ && extent_ == other.extent_; }

  std::string str() const {
    std::string out = "[";
    for (int i = 0; i < rank_; ++i) out += (i ? ", " : "") + std::to_string((*this)[i]);
    return out + "]";
  }

 private:
  std::array<std::int64_t, max_rank> extent_{};
  int rank_ = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.str(); }

}  // namespace retort
