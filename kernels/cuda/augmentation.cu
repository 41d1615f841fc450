// A thread writes a few neighbouring numbers of an image. It draws its sample's crop and flip for itself, which costs
// less than to fetch them. Labels and other columns are a few hundred numbers: some more blocks have them, which nobody
// waits for.
#include "kernels/augmentation.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pack.h"
#include "kernels/philox.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

struct View {
  int row_offset, column_offset;  ///< of the output's corner in the image; negative: in the padding
  bool flip;
};

__device__ View view_of(const AugmentShape& shape, std::int32_t sample, const StepState* state) {
  if (shape.crop_padding == 0 && !shape.flip) return {0, 0, false};
  const Philox4 words = philox(state->seed, Purpose::augment, static_cast<std::uint64_t>(sample), state->epoch, 0);
  const auto offsets = static_cast<std::uint32_t>(2 * shape.crop_padding + 1);
  return {static_cast<int>(to_below(words.v[0], offsets)) - shape.crop_padding,
          static_cast<int>(to_below(words.v[1], offsets)) - shape.crop_padding, shape.flip && (words.v[2] >> 31) != 0};
}

template <typename T>
__device__ void gather_column(std::int64_t thread, std::int64_t threads, int rows, int width, const T* from,
                              const std::int32_t* samples, T* to) {
  if (from == nullptr) return;
  for (std::int64_t i = thread; i < std::int64_t{rows} * width; i += threads) {
    const std::int64_t row = i / width;
    to[i] = from[std::int64_t{samples[row]} * width + (i - row * width)];
  }
}

/// The first blocks make images. Of one, kCount neighbouring numbers a thread, which may be of several pixels, so that
/// writes are whole whatever the number of channels.
template <typename T, int kCount>
__global__ void augment_kernel(const __grid_constant__ AugmentShape shape, unsigned image_blocks, std::int64_t packs,
                               const std::uint8_t* images, const std::int32_t* samples,
                               const __grid_constant__ BatchColumns columns, const StepState* state, T* out) {
  if (blockIdx.x >= image_blocks) {
    const std::int64_t thread = grid_thread() - std::int64_t{image_blocks} * blockDim.x;
    const std::int64_t threads = grid_threads() - std::int64_t{image_blocks} * blockDim.x;
    gather_column(thread, threads, shape.rows, 1, columns.labels_from, samples, columns.labels);
    for (const FloatColumn& c : columns.floats) {
      gather_column(thread, threads, shape.rows, c.width, c.from, samples, c.to);
    }
    return;
  }
  const int packs_per_image = shape.height * shape.width * shape.out_channels / kCount;
  for (std::int64_t i = grid_thread(); i < packs; i += std::int64_t{image_blocks} * blockDim.x) {
    const std::int64_t place = i / packs_per_image;
    const int first = static_cast<int>(i - place * packs_per_image) * kCount;
    const std::int32_t sample = samples[place];
    const View view = view_of(shape, sample, state);
    const std::uint8_t* image = images + std::int64_t{sample} * shape.height * shape.width * shape.channels;
    int c = first % shape.out_channels;
    int j = first / shape.out_channels % shape.width;
    int line = first / shape.out_channels / shape.width;
    const auto value = [&] {
      if (c >= shape.channels) return 0.0F;
      const int row = line + view.row_offset;
      const int column = (view.flip ? shape.width - 1 - j : j) + view.column_offset;
      const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
      const float brightness =
          inside ? static_cast<float>(image[(row * shape.width + column) * shape.channels + c]) : 0.0F;
      return brightness * shape.scale[c] + shape.shift[c];
    };
    Pack<T, kCount> pack;
    for (int k = 0; k < kCount; ++k) {
      pack.v[k] = narrow<T>(value());
      if (++c < shape.out_channels) continue;
      c = 0;
      if (++j < shape.width) continue;
      j = 0;
      ++line;
    }
    store_pack(out + i * kCount, pack);
  }
}

__global__ void floats_kernel(int rows, int width, const float* values, const std::int32_t* samples, float* out) {
  gather_column(grid_thread(), grid_threads(), rows, width, values, samples, out);
}

/// How many numbers the widest column has.
std::int64_t widest(int rows, const BatchColumns& columns) {
  int width = columns.labels_from != nullptr ? 1 : 0;
  for (const FloatColumn& c : columns.floats) width = std::max(width, c.from != nullptr ? c.width : 0);
  return std::int64_t{rows} * width;
}

}  // namespace

void gather_augment(const Launch& at, const AugmentShape& shape, const std::uint8_t* images,
                    const std::int32_t* samples, const BatchColumns& columns, const StepState* state, void* out) {
  const int per_image = shape.height * shape.width * shape.out_channels;
  const std::int64_t n = std::int64_t{shape.rows} * per_image;
  if (n == 0) return;
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    const auto run = [&](auto count) {
      const unsigned image_blocks = striding_blocks(n / count(), kThreads);
      const std::int64_t beside = widest(shape.rows, columns);
      const unsigned blocks = image_blocks + (beside > 0 ? striding_blocks(beside, kThreads) : 0);
      launch(at, "gather_augment", &augment_kernel<T, count()>, blocks, kThreads, 0, shape, image_blocks, n / count(),
             images, samples, columns, state, static_cast<T*>(out));
    };
    // Four: more would spread a warp's reads, of a byte each, over more sectors.
    if (wide(out) && per_image % 4 == 0) return run(std::integral_constant<int, 4>{});
    run(std::integral_constant<int, 1>{});
  });
}

void gather_floats(const Launch& at, int rows, int width, const float* values, const std::int32_t* samples,
                   float* out) {
  const std::int64_t n = std::int64_t{rows} * width;
  if (n == 0) return;
  launch(at, "gather_floats", &floats_kernel, striding_blocks(n, kThreads), kThreads, 0, rows, width, values, samples,
         out);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
