#include "bench/ops/floors.h"

#include <memory>

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
    const Stopwatch watch;
    work();
    backend.synchronize({});
    const double seconds = watch.seconds();
    if (i == 1 || (i > 1 && seconds < best)) best = seconds;  // not the first, which builds plans
  }
  return best;
}

double copied_bytes(const Backend& backend) {
  constexpr std::size_t bytes = std::size_t{256} << 20;
  const Block from(backend, bytes), to(backend, bytes);
  return 2.0 * bytes / best_seconds(backend, [&] { backend.copy_bytes({}, to.data(), from.data(), bytes); });
}

double f32_flops(const Backend& backend) {
  constexpr int n = 2048;
  constexpr std::size_t bytes = sizeof(float) * n * n;
  const LinearShape shape{n, n, n};
  const Block x(backend, bytes), weight(backend, bytes), y(backend, bytes);
  const std::size_t wanted = backend.linear_workspace(shape);
  const Block workspace(backend, wanted);
  const Launch launch{nullptr, workspace.data(), wanted, Precision::fp32};
  return 2 * shape.macs() /
         best_seconds(backend, [&] { backend.linear_forward(launch, shape, x.f32(), weight.f32(), nullptr, y.f32()); });
}

/// The linear layer is fp32 only; a convolution of 1x1 pixels is the same product.
double bf16_flops(const Backend& backend) {
  constexpr int n = 2048;
  constexpr std::size_t bytes = sizeof(bfloat16) * n * n;
  const Conv2dShape shape{2, 32, 32, n, n, 1, 1, 1, 0, DType::bf16};
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
  floors.f32_flops = f32_flops(backend);
  if (is_native(backend, DType::bf16)) floors.bf16_flops = bf16_flops(backend);
  return floors;
}

}  // namespace retort::bench
