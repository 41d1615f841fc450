// Tensor cores: the tiles are v4's, of bf16, so that a row of 64 bytes holds 32 terms; they are multiplied by the warps
// together, 16 x 16 by 16 x 8 entries with one instruction (warp_tile.h). Sums stay fp32. Eight terms have to belong to
// one tap.
#include "bench/lab/convolution/warp_tile.h"
#include "bench/lab/convolution/window.h"
#include "kernels/cuda/launch.h"

namespace retort::lab {
namespace {

using Tile = SwizzledTile<bfloat16>;
using Eight = Pack<bfloat16, 8>;

constexpr int kThreads = 128;
constexpr int kTile = Tile::kRows;
constexpr int kChunk = Tile::kColumns;
constexpr int kRowsAtOnce = kThreads / Tile::kPacks;  ///< that the block brings with one load a thread
constexpr int kLoads = kTile / kRowsAtOnce;

__global__ void __launch_bounds__(kThreads) kernel(Convolution p) {
  __shared__ Tile pixels;
  __shared__ Tile filters;
  const auto* x = static_cast<const bfloat16*>(p.x);
  const auto* filter = static_cast<const bfloat16*>(p.filter);
  const int first_pixel = static_cast<int>(blockIdx.x) * kTile;
  const int first_channel = static_cast<int>(blockIdx.y) * kTile;
  const int pack = static_cast<int>(threadIdx.x) % Tile::kPacks;
  const int first_row = static_cast<int>(threadIdx.x) / Tile::kPacks;
  Window windows[kLoads];
#pragma unroll
  for (int i = 0; i < kLoads; ++i) windows[i] = Window::of(p, first_pixel + first_row + i * kRowsAtOnce);
  WarpTile tile;
  for (int first = 0; first < p.terms(); first += kChunk) {
    const Term term = Term::of(p, first + 8 * pack);
#pragma unroll
    for (int i = 0; i < kLoads; ++i) {
      const int row = first_row + i * kRowsAtOnce;
      const int in_x = windows[i].element(p, term);
      const int in_filter = filter_element(p, first_channel + channel_of_row(row), first + 8 * pack);
      store_pack(pixels.pack(row, pack), in_x >= 0 ? load_pack<8>(x + in_x) : Eight{});
      store_pack(filters.pack(row, pack), in_filter >= 0 ? load_pack<8>(filter + in_filter) : Eight{});
    }
    __syncthreads();
    tile.add(pixels, filters);
    __syncthreads();
  }
  tile.store(p, first_pixel, first_channel);
}

}  // namespace

void convolution_v5(const Launch& at, const Convolution& p) {
  const dim3 grid(static_cast<unsigned>((p.pixels() - 1) / kTile + 1),
                  static_cast<unsigned>((p.shape.out_channels - 1) / kTile + 1));
  launch(at, "convolution_v5", &kernel, grid, kThreads, 0, p);
}

}  // namespace retort::lab
