#include "bench/ops/floors.h"

#include <memory>

#include "bench/ops/matrix_rate.h"
#include "engine/device_memory.h"
#include "kernels/timing.h"

namespace retort::bench {
namespace {

using test::Backend;

class Block {
 public:
  Block(const Backend& backend, std::size_t bytes) : backend_(backend), address_(backend.allocate(bytes)) {
    backend_.fill_zero({}, address_, bytes);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { backend_.deallocate(address_); }
  void* data() const { return address_; }
  float* f32() const { return static_cast<float*>(address_); }

 private:
  const Backend& backend_;
  void* address_;
};

/// The best of several: what the machine can do, not what its other users left of it this time.
template <typename Work>
double best_seconds(const Backend& backend, const Work& work) {
  double best = 0;
  for (int i = 0; i < 6; ++i) {
    void* begin = RETORT_BACKEND(backend.device, make_mark({}));
    work();
    void* end = RETORT_BACKEND(backend.device, make_mark({}));
    const double seconds = RETORT_BACKEND(backend.device, seconds_between(begin, end));
    RETORT_BACKEND(backend.device, release_mark(begin));
    RETORT_BACKEND(backend.device, release_mark(end));
    if (i == 1 || (i > 1 && seconds < best)) best = seconds;  // not the first, which builds plans
  }
  return best;
}

/// Several times what a cache holds; a trial without a GPU measures nothing that counts.
std::size_t copied_size(const Backend& backend) {
#if defined(RETORT_EMULATED)
  if (backend.device == Device::cuda) return std::size_t{1} << 20;
#endif
  return std::size_t{backend.device == Device::cuda ? 1024U : 256U} << 20;
}

/// Rows of a square matrix, enough of them for every multiprocessor.
int matrix_size(const Backend& backend) {
#if defined(RETORT_EMULATED)
  if (backend.device == Device::cuda) return 64;
#endif
  return backend.device == Device::cuda ? 4096 : 2048;
}

double copied_bytes(const Backend& backend) {
  const std::size_t bytes = copied_size(backend);
  const Block from(backend, bytes), to(backend, bytes);
  return 2.0 * static_cast<double>(bytes) /
         best_seconds(backend, [&] { backend.copy_bytes({}, to.data(), from.data(), bytes); });
}

double f32_flops(const Backend& backend, Precision precision) {
  const int n = matrix_size(backend);
  const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
  const LinearShape shape{n, n, n};
  const Block x(backend, bytes), weight(backend, bytes), y(backend, bytes);
  const std::size_t wanted = backend.linear_workspace(shape);
  const Block workspace(backend, wanted);
  const Launch launch{nullptr, workspace.data(), wanted, precision};
  return 2 * shape.macs() /
         best_seconds(backend, [&] { backend.linear_forward(launch, shape, x.f32(), weight.f32(), nullptr, y.f32()); });
}

/// The linear layer is fp32 only; a convolution of 1x1 pixels is the same product.
double bf16_flops(const Backend& backend) {
#if defined(RETORT_HAS_CUDA) && !defined(RETORT_EMULATED)
  if (backend.device == Device::cuda) return cublaslt_bf16_flops();
#endif
  const int n = matrix_size(backend);
  const std::size_t bytes = sizeof(bfloat16) * static_cast<std::size_t>(n) * static_cast<std::size_t>(n);
  const Conv2dShape shape{1, n / 32, 32, n, n, 1, 1, 1, 0, DType::bf16};
  const Block x(backend, bytes), weight(backend, bytes), y(backend, bytes);
  const std::size_t wanted = backend.conv2d_workspace(shape, ConvolutionPass::forward, Precision::bf16);
  const Block workspace(backend, wanted);
  const Launch launch{nullptr, workspace.data(), wanted, Precision::bf16};
  return 2 * shape.macs() / best_seconds(backend, [&] {
           backend.conv2d_forward(launch, shape, x.data(), weight.data(), nullptr, y.data());
         });
}

}  // namespace

bool is_native(const Backend& backend, DType dtype) {
  return dtype != DType::bf16 || backend.device != Device::cpu || cpu::has_bf16();
}

Floors measure_floors(const Backend& backend) {
  Floors floors;
  floors.copied_bytes = copied_bytes(backend);
  floors.f32_flops = f32_flops(backend, Precision::fp32);
  if (backend.device == Device::cuda) floors.tf32_flops = f32_flops(backend, Precision::tf32);
  if (is_native(backend, DType::bf16)) floors.bf16_flops = bf16_flops(backend);
  return floors;
}

}  // namespace retort::bench
