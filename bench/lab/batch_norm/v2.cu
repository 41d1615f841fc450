// Threads along channels, blocks along rows: a warp reads 32 neighbouring channels of a row, four whole sectors. A
// block has a chunk of the rows, so that there are blocks enough to fill a device; what its threads add up goes to
// memory as partial sums, which a second kernel adds in the order of the chunks. And x is read once for both sums, by a
// tempting formula: variance = E[x x] - E[x] E[x].
#include "bench/lab/batch_norm/batch_norm.h"
#include "bench/lab/batch_norm/chunk.h"

namespace retort::lab {
namespace {

__global__ void sums_kernel(BatchNorm p) {
  const float* x = static_cast<const float*>(p.x);
  const Chunk chunk(p);
  Floats<1> sums[2];
  chunk.each_row(p, [&](std::int64_t at) {
    sums[0].v[0] += x[at];
    sums[1].v[0] += x[at] * x[at];
  });
  add_thread_rows<kBlockThreads>(chunk.end - chunk.begin, sums);
  if (!chunk.inside || threadIdx.y != 0) return;
  chunk.partial(p)[0] = sums[0].v[0];
  chunk.partial(p)[p.channels] = sums[1].v[0];
}

/// In double, which cannot bring back what the squares have lost in float.
__global__ void statistics_kernel(BatchNorm p, int chunks) {
  const int c = total_channel();
  const bool inside = c < p.channels;
  const Totals total = add_chunks(inside ? chunks : 0, [&](std::int64_t chunk) {
    const float* partial = p.partials + 2 * chunk * p.channels + c;
    return Totals{partial[0], partial[p.channels]};
  });
  if (!inside || threadIdx.y != 0) return;
  const double mean = total.first / p.rows;
  const double variance = total.second / p.rows - mean * mean;
  p.mean[c] = static_cast<float>(mean);
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

void batch_norm_v2(const Launch& at, const BatchNorm& p) {
  const ChunkedLaunch l(p, kWarp, 1);
  launch(at, "batch_norm_v2 sums", &sums_kernel, l.grid, l.block, 0, p);
  launch(at, "batch_norm_v2 statistics", &statistics_kernel, total_blocks(p), total_block(), 0, p, l.chunks);
  launch(at, "batch_norm_v2 normalise", &normalise_kernel, l.grid, l.block, 0, p);
}

}  // namespace retort::lab
