// The image in shared memory: a block has a sample. It brings the image to the chip as it lies, sixteen bytes a lane,
// and takes it apart there, where a byte costs no sector. One thread draws for all. Rows of bytes are read once and
// whole, numbers are written sixteen bytes a lane in bf16 too.
#include "bench/lab/augment/augment.h"
#include "bench/lab/augment/view.h"

namespace retort::lab {
namespace {

constexpr int kThreads = 256;
constexpr int kMostBytes = 4096;
using Bytes = Pack<std::uint8_t, 16>;

template <typename T>
__global__ void kernel(const __grid_constant__ Augment p) {
  constexpr int kCount = kWhole<T>;
  __shared__ Bytes held[kMostBytes / 16];
  __shared__ View drawn;
  const int thread = static_cast<int>(threadIdx.x);
  const int pixels = p.shape.height * p.shape.width;
  const std::int32_t sample = p.samples[blockIdx.x];
  const std::uint8_t* image = image_of(p, sample);
  for (int i = thread; i < pixels * p.shape.channels / 16; i += kThreads) held[i] = load_pack<16>(image + 16 * i);
  if (thread == 0) drawn = View::of(p.shape, sample, *p.state);
  __syncthreads();
  const View view = drawn;
  const int per_image = pixels * p.shape.out_channels;
  T* out = static_cast<T*>(p.out) + std::int64_t{blockIdx.x} * per_image;
  for (int first = thread * kCount; first < per_image; first += kThreads * kCount) {
    int c = first % p.shape.out_channels;
    int j = first / p.shape.out_channels % p.shape.width;
    int line = first / p.shape.out_channels / p.shape.width;
    Pack<T> pack;
    for (int k = 0; k < kCount; ++k) {
      pack.v[k] = narrow<T>(view.number(p.shape, held[0].v, line, j, c));
      if (++c < p.shape.out_channels) continue;
      c = 0;
      if (++j < p.shape.width) continue;
      j = 0;
      ++line;
    }
    store_pack(out + first, pack);
  }
}

}  // namespace

void augment_v4(const Launch& at, const Augment& p) {
  with_type(p.shape.dtype, [&](auto type) {
    launch(at, "augment_v4", &kernel<decltype(type)>, static_cast<unsigned>(p.shape.rows), kThreads, 0, p);
  });
}

}  // namespace retort::lab
