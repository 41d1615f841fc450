#include "kernels/cuda/bias.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

/// y = relu?(y + bias + residual); Bias is float or T.
template <typename T, typename Bias, int kCount>
__global__ void finish_convolution_kernel(std::int64_t packs, int channels, const Bias* bias, const T* residual,
                                          bool relu, T* y) {
  const int across = channels / kCount;
  for (std::int64_t i = grid_thread(); i < packs; i += grid_threads()) {
    const Bias* offset = bias + i % across * kCount;
    Pack<T, kCount> pack = load_pack<kCount>(y + i * kCount);
    Pack<T, kCount> addend = {};
    if (residual != nullptr) addend = load_pack<kCount>(residual + i * kCount);
    for (int c = 0; c < kCount; ++c) {
      float value = widen(pack.v[c]) + widen(offset[c]);
      if (residual != nullptr) value += widen(addend.v[c]);
      if (relu) value = value < 0 ? 0.0F : value;  // NaN stays
      pack.v[c] = narrow<T>(value);
    }
    store_pack(y + i * kCount, pack);
  }
}

template <typename T, typename Bias>
void finish(const Launch& at, const char* name, std::int64_t rows, int channels, const Bias* bias, const T* residual,
            bool relu, T* y) {
  if (rows == 0 || channels == 0) return;
  with_pack<T>(channels, wide(y, residual), [&](auto count) {
    const std::int64_t packs = rows * channels / count();
    launch(at, name, &finish_convolution_kernel<T, Bias, count()>, striding_blocks(packs, kThreads), kThreads, 0, packs,
           channels, bias, residual, relu, y);
  });
}

/// How the matrix is cut: by its shape alone, so that every device adds in the same order.
struct Columns {
  static constexpr int kBlockPacks = 32;  ///< side by side in a block, at most
  static constexpr int kBlocks = 512;     ///< wanted
  static constexpr int kMostThreadRows = 64;

  int across, down;
  unsigned blocks_across;
  std::int64_t chunk_rows, chunks;

  Columns(std::int64_t rows, int packs) {
    across = std::min(packs, kBlockPacks);
    down = kThreads / across;
    blocks_across = static_cast<unsigned>((packs + across - 1) / across);
    const std::int64_t wanted = std::max<std::int64_t>(1, kBlocks / blocks_across);
    chunk_rows = down * std::clamp<std::int64_t>((rows + down * wanted - 1) / (down * wanted), 1, kMostThreadRows);
    chunks = (rows + chunk_rows - 1) / chunk_rows;
  }
};

/// A block's sums of its chunk of rows: row blockIdx.x of `sums`.
template <typename T, int kCount>
__global__ void column_sums_kernel(std::int64_t rows, int channels, std::int64_t chunk_rows, const T* x, float* sums) {
  const std::int64_t chunk = blockIdx.x;
  const std::int64_t channel = (std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x) * kCount;
  const bool inside = channel < channels;
  const std::int64_t begin = chunk * chunk_rows;
  const std::int64_t end = begin + chunk_rows < rows ? begin + chunk_rows : rows;
  Floats<kCount> sum[1];
  if (inside) {
    for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
      const auto value = Floats<kCount>::load(x + row * channels + channel);
      for (int c = 0; c < kCount; ++c) sum[0].v[c] += value.v[c];
    }
  }
  add_thread_rows<kThreads>(end - begin, sum);
  if (inside && threadIdx.y == 0) sum[0].store(sums + chunk * channels + channel);
}

template <typename T>
void sum_chunks(const Launch& at, std::int64_t rows, int channels, std::int64_t chunk_rows, const T* x, float* sums) {
  with_pack<T>(channels, wide(x, sums), [&](auto count) {
    const Columns plan(rows, channels / count());
    const auto chunks = static_cast<unsigned>((rows + chunk_rows - 1) / chunk_rows);
    launch(at, "column_sums", &column_sums_kernel<T, count()>, dim3(chunks, plan.blocks_across),
           dim3(static_cast<unsigned>(plan.across), static_cast<unsigned>(plan.down)), 0, rows, channels, chunk_rows, x,
           sums);
  });
}

/// By the cut of single channels, the finer one, whatever packs turn out to fit.
Columns chunks_of(std::int64_t rows, int channels) {
  return {rows, channels};
}

}  // namespace

void add_bias(const Launch& at, DType dtype, std::int64_t rows, int channels, const float* bias, void* y) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    finish<T>(at, "add_bias", rows, channels, bias, nullptr, false, static_cast<T*>(y));
  });
}

void finish_convolution(const Launch& at, DType dtype, std::int64_t rows, int channels, const void* bias,
                        const void* residual, bool relu, void* y) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    finish<T>(at, "finish_convolution", rows, channels, static_cast<const T*>(bias), static_cast<const T*>(residual),
              relu, static_cast<T*>(y));
  });
}

std::size_t column_sums_workspace(std::int64_t rows, int channels) {
  const Columns plan = chunks_of(rows, channels);
  return plan.chunks > 1 ? static_cast<std::size_t>(plan.chunks) * static_cast<std::size_t>(channels) * sizeof(float)
                         : 0;
}

void column_sums(const Launch& at, DType dtype, std::int64_t rows, int channels, const void* x, float* sums) {
  if (channels == 0) return;
  const Columns plan = chunks_of(rows, channels);
  with_type(dtype, [&](auto type) {
    const auto* from = static_cast<const decltype(type)*>(x);
    if (plan.chunks <= 1) return sum_chunks(at, rows, channels, std::max<std::int64_t>(rows, 1), from, sums);
    auto* partials = static_cast<float*>(at.workspace);
    sum_chunks(at, rows, channels, plan.chunk_rows, from, partials);
    sum_chunks(at, plan.chunks, channels, plan.chunks, partials, sums);
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
