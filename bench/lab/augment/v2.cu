// A thread a number: neighbouring threads write neighbouring numbers, so that every sector is written once and whole,
// whatever the number of channels. The price is arithmetic: ten rounds of Philox for each number instead of for each
// pixel.
#include "bench/lab/augment/augment.h"
#include "bench/lab/augment/view.h"

namespace retort::lab {
namespace {

constexpr int kThreads = 256;

template <typename T>
__global__ void kernel(const __grid_constant__ Augment p) {
  const int per_image = p.shape.height * p.shape.width * p.shape.out_channels;
  const std::int64_t i = grid_thread();
  if (i >= std::int64_t{p.shape.rows} * per_image) return;
  const std::int64_t place = i / per_image;
  const int number = static_cast<int>(i - place * per_image);
  const int pixel = number / p.shape.out_channels;
  const std::int32_t sample = p.samples[place];
  const View view = View::of(p.shape, sample, *p.state);
  static_cast<T*>(p.out)[i] = narrow<T>(view.number(p.shape, image_of(p, sample), pixel / p.shape.width,
                                                    pixel % p.shape.width, number % p.shape.out_channels));
}

}  // namespace

void augment_v2(const Launch& at, const Augment& p) {
  const std::int64_t threads = std::int64_t{p.shape.rows} * pixel_count(p.shape) * p.shape.out_channels;
  with_type(p.shape.dtype, [&](auto type) {
    launch(at, "augment_v2", &kernel<decltype(type)>, static_cast<unsigned>((threads + kThreads - 1) / kThreads),
           kThreads, 0, p);
  });
}

}  // namespace retort::lab
