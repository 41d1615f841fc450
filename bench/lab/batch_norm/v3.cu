// Squares of distances: where the mean is large beside the deviation, the squares of v2 are large numbers that differ
// in their last digits, and a float has seven. So each value is taken as its distance to the first of its channel,
// which is a few deviations from the mean whatever the mean is: the sums are small, and nothing is lost when the mean's
// square is subtracted. No byte more is read for it.
#include "bench/lab/batch_norm/batch_norm.h"
#include "bench/lab/batch_norm/chunk.h"

namespace retort::lab {
namespace {

__global__ void sums_kernel(BatchNorm p) {
  const float* x = static_cast<const float*>(p.x);
  const Chunk chunk(p);
  const float origin = chunk.inside ? x[chunk.channel] : 0.0F;
  Floats<1> sums[2];
  chunk.each_row(p, [&](std::int64_t at) {
    const float distance = x[at] - origin;
    sums[0].v[0] += distance;
    sums[1].v[0] += distance * distance;
  });
  add_thread_rows<kBlockThreads>(chunk.end - chunk.begin, sums);
  if (!chunk.inside || threadIdx.y != 0) return;
  chunk.partial(p)[0] = sums[0].v[0];
  chunk.partial(p)[p.channels] = sums[1].v[0];
}

__global__ void statistics_kernel(BatchNorm p, int chunks) {
  const int c = total_channel();
  const bool inside = c < p.channels;
  const Totals total = add_chunks(inside ? chunks : 0, [&](std::int64_t chunk) {
    const float* partial = p.partials + 2 * chunk * p.channels + c;
    return Totals{partial[0], partial[p.channels]};
  });
  if (!inside || threadIdx.y != 0) return;
  const double distance = total.first / p.rows;  // of the mean to the origin
  const double variance = total.second / p.rows - distance * distance;
  p.mean[c] = static_cast<float>(static_cast<const float*>(p.x)[c] + distance);
  p.variance[c] = variance < 0 ? 0.0F : static_cast<float>(variance);
}

__global__ void normalise_kernel(BatchNorm p) {
  const float* x = static_cast<const float*>(p.x);
  float* y = static_cast<float*>(p.y);
  const Chunk chunk(p);
  if (!chunk.inside) return;
  const float mean = p.mean[chunk.channel];
  const float scale = p.gamma[chunk.channel] / sqrtf(p.variance[chunk.channel] + p.epsilon);
  const float beta = p.beta[chunk.channel];
  chunk.each_row(p, [&](std::int64_t at) {
    const float result = (x[at] - mean) * scale + beta;
    y[at] = result < 0 ? 0.0F : result;  // NaN stays
  });
}

}  // namespace

void batch_norm_v3(const Launch& at, const BatchNorm& p) {
  const ChunkedLaunch l(p, kWarp, 1);
  launch(at, "batch_norm_v3 sums", &sums_kernel, l.grid, l.block, 0, p);
  launch(at, "batch_norm_v3 statistics", &statistics_kernel, total_blocks(p), total_block(), 0, p, l.chunks);
  launch(at, "batch_norm_v3 normalise", &normalise_kernel, l.grid, l.block, 0, p);
}

}  // namespace retort::lab
