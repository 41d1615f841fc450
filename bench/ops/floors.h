// What no kernel can beat by much: moving its operands once at the speed of a plain copy, and computing at the speed
// of a large matrix product. Both are measured when the program starts: with the backend's own kernels, and on a GPU
// with cuBLASLt for bf16.
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
  double tf32_flops = 0;    ///< the same with factors rounded to TF32; 0 on the CPU
  double bf16_flops = 0;    ///< the same in bf16; 0 where that is not native

  double rate(Precision precision) const {
    return precision == Precision::bf16 ? bf16_flops : precision == Precision::tf32 ? tf32_flops : f32_flops;
  }
  double seconds(double bytes, double flops, Precision precision) const {
    return std::max(bytes / copied_bytes, rate(precision) > 0 ? flops / rate(precision) : 0);
  }
  double seconds(double bytes, double flops, DType dtype) const {
    return seconds(bytes, flops, dtype == DType::bf16 ? Precision::bf16 : Precision::fp32);
  }
};

/// Whether matrix products and convolutions of this type run on instructions of their own, not emulated.
bool is_native(const test::Backend& backend, DType dtype);

Floors measure_floors(const test::Backend& backend);

}  // namespace retort::bench
