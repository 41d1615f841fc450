// A thread four numbers: neighbours in memory, perhaps of two pixels, stored at once. A draw serves four numbers; a
// warp writes 512 bytes with one instruction (256 in bf16). Its reads are bytes still, and each of the four now comes
// from every fourth number: the same sectors four times.
#include "bench/lab/augment/augment.h"
#include "bench/lab/augment/view.h"

namespace retort::lab {
namespace {

constexpr int kThreads = 256;
constexpr int kCount = 4;

template <typename T>
__global__ void kernel(const __grid_constant__ Augment p) {
  const int packs_per_image = p.shape.height * p.shape.width * p.shape.out_channels / kCount;
  const std::int64_t i = grid_thread();
  if (i >= std::int64_t{p.shape.rows} * packs_per_image) return;
  const std::int64_t place = i / packs_per_image;
  const int first = static_cast<int>(i - place * packs_per_image) * kCount;
  const std::int32_t sample = p.samples[place];
  const View view = View::of(p.shape, sample, *p.state);
  const std::uint8_t* image = image_of(p, sample);
  int c = first % p.shape.out_channels;
  int j = first / p.shape.out_channels % p.shape.width;
  int line = first / p.shape.out_channels / p.shape.width;
  Pack<T, kCount> pack;
  for (int k = 0; k < kCount; ++k) {
    pack.v[k] = narrow<T>(view.number(p.shape, image, line, j, c));
    if (++c < p.shape.out_channels) continue;
    c = 0;
    if (++j < p.shape.width) continue;
    j = 0;
    ++line;
  }
  store_pack(static_cast<T*>(p.out) + i * kCount, pack);
}

}  // namespace

void augment_v3(const Launch& at, const Augment& p) {
  const std::int64_t threads = std::int64_t{p.shape.rows} * pixel_count(p.shape) * p.shape.out_channels / kCount;
  with_type(p.shape.dtype, [&](auto type) {
    launch(at, "augment_v3", &kernel<decltype(type)>, static_cast<unsigned>((threads + kThreads - 1) / kThreads),
           kThreads, 0, p);
  });
}

}  // namespace retort::lab
