// What no kernel can beat by much: moving its operands once at the speed of a plain copy, and computing at the speed
// of a large matrix product. Both are measured with the backend's own kernels when the program starts.
#pragma once

#include <algorithm>
#include <chrono>

#include "kernels/types.h"
#include "tests/support/backend.h"

namespace retort::bench {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Floors {
  double copied_bytes = 0;  ///< a second, read and written together, in memory no cache holds
  double f32_flops = 0;     ///< a second, of a large matrix product
  double bf16_flops = 0;    ///< the same in bf16; 0 where that is not native

  double seconds(double bytes, double flops, DType dtype) const {
    const double rate = dtype == DType::bf16 ? bf16_flops : f32_flops;
    return std::max(bytes / copied_bytes, rate > 0 ? flops / rate : 0);
  }
};

/// Whether matrix products and convolutions of this type run on instructions of their own, not emulated.
bool is_native(const test::Backend& backend, DType dtype);

Floors measure_floors(const test::Backend& backend);

}  // namespace retort::bench
