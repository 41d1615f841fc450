// Sixteen bytes a lane: four neighbouring channels in fp32, eight in bf16, which is read and written in half the bytes
// and computed in fp32. Few channels no longer leave lanes without work: a row of 16 is four packs, and a warp takes
// eight rows at once.
#include "bench/lab/batch_norm/batch_norm.h"
#include "bench/lab/batch_norm/chunk.h"

namespace retort::lab {
namespace {

template <typename T>
__global__ void sums_kernel(BatchNorm p) {
  constexpr int kCount = kWhole<T>;
  const T* x = static_cast<const T*>(p.x);
  const Chunk chunk(p, kCount);
  Floats<kCount> origin;
  if (chunk.inside) origin = Floats<kCount>::load(x + chunk.channel);
  Floats<kCount> sums[2];
  chunk.each_row(p, [&](std::int64_t at) {
    const Pack<T> in = load_pack(x + at);
    for (int j = 0; j < kCount; ++j) {
      const float distance = widen(in.v[j]) - origin.v[j];
      sums[0].v[j] += distance;
      sums[1].v[j] += distance * distance;
    }
  });
  add_thread_rows<kBlockThreads>(chunk.end - chunk.begin, sums);
  if (!chunk.inside || threadIdx.y != 0) return;
  sums[0].store(chunk.partial(p));
  sums[1].store(chunk.partial(p) + p.channels);
}

template <typename T>
__global__ void statistics_kernel(BatchNorm p, int chunks) {
  const int c = total_channel();
  const bool inside = c < p.channels;
  const Totals total = add_chunks(inside ? chunks : 0, [&](std::int64_t chunk) {
    const float* partial = p.partials + 2 * chunk * p.channels + c;
    return Totals{partial[0], partial[p.channels]};
  });
  if (!inside || threadIdx.y != 0) return;
  const double distance = total.first / p.rows;
  const double variance = total.second / p.rows - distance * distance;
  p.mean[c] = static_cast<float>(widen(static_cast<const T*>(p.x)[c]) + distance);
  p.variance[c] = variance < 0 ? 0.0F : static_cast<float>(variance);
}

template <typename T>
__global__ void normalise_kernel(BatchNorm p) {
  constexpr int kCount = kWhole<T>;
  using Channels = Floats<kCount>;
  const T* x = static_cast<const T*>(p.x);
  T* y = static_cast<T*>(p.y);
  const Chunk chunk(p, kCount);
  if (!chunk.inside) return;
  const auto mean = Channels::load(p.mean + chunk.channel);
  const auto variance = Channels::load(p.variance + chunk.channel);
  const auto beta = Channels::load(p.beta + chunk.channel);
  auto scale = Channels::load(p.gamma + chunk.channel);
  for (int j = 0; j < kCount; ++j) scale.v[j] /= sqrtf(variance.v[j] + p.epsilon);
  chunk.each_row(p, [&](std::int64_t at) {
    const Pack<T> in = load_pack(x + at);
    Pack<T> out;
    for (int j = 0; j < kCount; ++j) {
      const float result = (widen(in.v[j]) - mean.v[j]) * scale.v[j] + beta.v[j];
      out.v[j] = narrow<T>(result < 0 ? 0.0F : result);  // NaN stays
    }
    store_pack(y + at, out);
  });
}

}  // namespace

void batch_norm_v4(const Launch& at, const BatchNorm& p) {
  with_type(p.dtype, [&](auto type) {
    using T = decltype(type);
    const int packs = p.channels / kWhole<T>;
    const ChunkedLaunch l(p, packs < kWarp ? packs : kWarp, kWhole<T>);
    launch(at, "batch_norm_v4 sums", &sums_kernel<T>, l.grid, l.block, 0, p);
    launch(at, "batch_norm_v4 statistics", &statistics_kernel<T>, total_blocks(p), total_block(), 0, p, l.chunks);
    launch(at, "batch_norm_v4 normalise", &normalise_kernel<T>, l.grid, l.block, 0, p);
  });
}

}  // namespace retort::lab
