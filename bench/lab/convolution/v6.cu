// Copies run ahead: while the warps multiply a chunk, the next one is on its way into a second pair of tiles. Nothing
// waits for memory but the copies themselves (async_copy.h), and one barrier a chunk does for v5's two: behind it
// everybody's part of this chunk has arrived, and everybody is done with the last one, whose tiles the next may then
// overwrite.
#include "bench/lab/convolution/async_copy.h"
#include "bench/lab/convolution/warp_tile.h"
#include "bench/lab/convolution/window.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using Tile = SwizzledTile<bfloat16>;

constexpr int kThreads = 128;
constexpr int kTile = Tile::kRows;
constexpr int kChunk = Tile::kColumns;
constexpr int kRowsAtOnce = kThreads / Tile::kPacks;  ///< that the block brings with one copy a thread
constexpr int kCopies = kTile / kRowsAtOnce;

__global__ void __launch_bounds__(kThreads) kernel(Convolution p) {
  __shared__ Tile pixels[2];
  __shared__ Tile filters[2];
  const auto* x = static_cast<const bfloat16*>(p.x);
  const auto* filter = static_cast<const bfloat16*>(p.filter);
  const int first_pixel = static_cast<int>(blockIdx.x) * kTile;
  const int first_channel = static_cast<int>(blockIdx.y) * kTile;
  const int pack = static_cast<int>(threadIdx.x) % Tile::kPacks;
  const int first_row = static_cast<int>(threadIdx.x) / Tile::kPacks;
  Window windows[kCopies];
#pragma unroll
  for (int i = 0; i < kCopies; ++i) windows[i] = Window::of(p, first_pixel + first_row + i * kRowsAtOnce);
  const auto begin_chunk = [&](int chunk) {
    const int first = chunk * kChunk + 8 * pack;
    const Term term = Term::of(p, first);
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const int row = first_row + i * kRowsAtOnce;
      const int in_x = windows[i].element(p, term);
      const int in_filter = filter_element(p, first_channel + channel_of_row(row), first);
      begin_copy(pixels[chunk % 2].pack(row, pack), x + (in_x > 0 ? in_x : 0), in_x >= 0);
      begin_copy(filters[chunk % 2].pack(row, pack), filter + (in_filter > 0 ? in_filter : 0), in_filter >= 0);
    }
    commit_copies();
  };
  const int chunks = (p.terms() - 1) / kChunk + 1;
  WarpTile tile;
  begin_chunk(0);
  for (int chunk = 0; chunk < chunks; ++chunk) {
    wait_for_copies<0>();
    __syncthreads();
    if (chunk + 1 < chunks) begin_chunk(chunk + 1);
    tile.add(pixels[chunk % 2], filters[chunk % 2]);
  }
  tile.store(p, first_pixel, first_channel);
}

}  // namespace

void convolution_v6(const Launch& at, const Convolution& p) {
  const dim3 grid(static_cast<unsigned>((p.pixels() - 1) / kTile + 1),
                  static_cast<unsigned>((p.shape.out_channels - 1) / kTile + 1));
  launch(at, "convolution_v6", &kernel, grid, kThreads, 0, p);
}

}  // namespace retort::lab
