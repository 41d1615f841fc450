// A thread writes a few neighbouring numbers. It draws its sample's crop and flip for itself, which costs less than to
// fetch them.
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

/// kCount neighbouring numbers of an image, which may be of several pixels, so that writes are whole whatever the
/// number of channels.
template <typename T, int kCount>
__global__ void augment_kernel(const __grid_constant__ AugmentShape shape, std::int64_t packs,
                               const std::uint8_t* images, const std::int32_t* samples, const StepState* state,
                               T* out) {
  const int packs_per_image = shape.height * shape.width * shape.out_channels / kCount;
  for (std::int64_t i = grid_thread(); i < packs; i += grid_threads()) {
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

__global__ void labels_kernel(int rows, const std::int32_t* labels, const std::int32_t* samples, std::int32_t* out) {
  for (std::int64_t i = grid_thread(); i < rows; i += grid_threads()) out[i] = labels[samples[i]];
}

__global__ void floats_kernel(std::int64_t n, int width, const float* values, const std::int32_t* samples, float* out) {
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) {
    const std::int64_t row = i / width;
    out[i] = values[std::int64_t{samples[row]} * width + (i - row * width)];
  }
}

}  // namespace

void gather_augment(const Launch& at, const AugmentShape& shape, const std::uint8_t* images,
                    const std::int32_t* samples, const StepState* state, void* out) {
  const int per_image = shape.height * shape.width * shape.out_channels;
  const std::int64_t n = std::int64_t{shape.rows} * per_image;
  if (n == 0) return;
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    const auto run = [&](auto count) {
      launch(at, "gather_augment", &augment_kernel<T, count()>, striding_blocks(n / count(), kThreads), kThreads, 0,
             shape, n / count(), images, samples, state, static_cast<T*>(out));
    };
    // Four: more would spread a warp's reads, of a byte each, over more sectors.
    if (wide(out) && per_image % 4 == 0) return run(std::integral_constant<int, 4>{});
    run(std::integral_constant<int, 1>{});
  });
}

void gather_labels(const Launch& at, int rows, const std::int32_t* labels, const std::int32_t* samples,
                   std::int32_t* out) {
  if (rows == 0) return;
  launch(at, "gather_labels", &labels_kernel, striding_blocks(rows, kThreads), kThreads, 0, rows, labels, samples, out);
}

void gather_floats(const Launch& at, int rows, int width, const float* values, const std::int32_t* samples,
                   float* out) {
  const std::int64_t n = std::int64_t{rows} * width;
  if (n == 0) return;
  launch(at, "gather_floats", &floats_kernel, striding_blocks(n, kThreads), kThreads, 0, n, width, values, samples,
         out);
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
