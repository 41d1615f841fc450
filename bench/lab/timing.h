// What the families' timings share: a clock, operands in device memory, and lines that look alike.
#pragma once

#include <functional>
#include <string>

#include "kernels/types.h"

namespace retort::lab {

/// Device memory, zero until something else is written.
class Block {
 public:
  explicit Block(std::size_t bytes);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  void upload(const void* from, std::size_t bytes) const;
  /// Fills with n numbers, uniform in [low, high).
  void upload_uniform(DType dtype, std::size_t n, std::uint32_t seed, float low, float high) const;

 private:
  void* data_;
};

struct Timer {
  double bandwidth = 0;  ///< bytes a second that a copy moves, read and written

  /// The median of some repetitions, after one that is not timed.
  double seconds_of(const std::function<void()>& work) const;
  void heading(const char* family) const;
  /// Times a version and prints a line: microseconds, and the bandwidth that the least traffic makes of them.
  void line(const char* version, const char* idea, const std::string& shape, double least_bytes,
            const std::function<void()>& work) const;
};

void time_kd_loss(const Timer& timer);
void time_batch_norm(const Timer& timer);
void time_augment(const Timer& timer);
void time_convolution(const Timer& timer);

}  // namespace retort::lab
