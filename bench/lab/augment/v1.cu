// A thread a pixel: it draws its sample's crop and flip, and goes through the channels. Neighbouring threads write
// pixels that lie beside each other, but one channel at a time: the three stores of a warp touch the same twelve
// sectors, and each brings a third of their bytes.
#include "bench/lab/augment/augment.h"
#include "bench/lab/augment/view.h"

namespace retort::lab {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void kernel(const __grid_constant__ Augment p) {
  const int pixels = p.shape.height * p.shape.width;
  const std::int64_t i = grid_thread();
  if (i >= std::int64_t{p.shape.rows} * pixels) return;
  const std::int64_t place = i / pixels;
  const int pixel = static_cast<int>(i - place * pixels);
  const std::int32_t sample = p.samples[place];
  const View view = View::of(p.shape, sample, *p.state);
  const std::uint8_t* image = image_of(p, sample);
  T* out = static_cast<T*>(p.out) + i * p.shape.out_channels;
  for (int c = 0; c < p.shape.out_channels; ++c) {
    out[c] = narrow<T>(view.number(p.shape, image, pixel / p.shape.width, pixel % p.shape.width, c));
  }
}

}  // namespace

void augment_v1(const Launch& at, const Augment& p) {
  const std::int64_t threads = std::int64_t{p.shape.rows} * pixel_count(p.shape);
  with_type(p.shape.dtype, [&](auto type) {
    launch(at, "augment_v1", &kernel<decltype(type)>, static_cast<unsigned>((threads + kThreads - 1) / kThreads),
           kThreads, 0, p);
  });
}

}  // namespace retort::lab
