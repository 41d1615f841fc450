// A thread an output pixel: it draws its sample's crop and flip for itself, which costs less than to fetch them.
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

/// A pixel is written in packs of kCount channels.
template <typename T, int kCount>
__global__ void augment_kernel(AugmentShape shape, std::int64_t pixels, const std::uint8_t* images,
                               const std::int32_t* samples, const StepState* state, T* out) {
  for (std::int64_t i = grid_thread(); i < pixels; i += grid_threads()) {
    const std::int64_t line = i / shape.width, place = line / shape.height;
    const int j = static_cast<int>(i - line * shape.width);
    const std::int32_t sample = samples[place];
    const View view = view_of(shape, sample, state);
    const int row = static_cast<int>(line - place * shape.height) + view.row_offset;
    const int column = (view.flip ? shape.width - 1 - j : j) + view.column_offset;
    const bool inside = row >= 0 && row < shape.height && column >= 0 && column < shape.width;
    const std::int64_t pixel = ((std::int64_t{sample} * shape.height + row) * shape.width + column) * shape.channels;
    const auto value = [&](int c) {
      if (c >= shape.channels) return 0.0F;
      const float brightness = inside ? static_cast<float>(images[pixel + c]) : 0.0F;
      return brightness * shape.scale[c] + shape.shift[c];
    };
    T* to = out + i * shape.out_channels;
    for (int first = 0; first < shape.out_channels; first += kCount) {
      Pack<T, kCount> pack;
      for (int c = 0; c < kCount; ++c) pack.v[c] = narrow<T>(value(first + c));
      store_pack(to + first, pack);
    }
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
  const std::int64_t pixels = std::int64_t{shape.rows} * shape.height * shape.width;
  if (pixels == 0) return;
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    with_pack<T>(shape.out_channels, wide(out), [&](auto count) {
      launch(at, "gather_augment", &augment_kernel<T, count()>, striding_blocks(pixels, kThreads), kThreads, 0, shape,
             pixels, images, samples, state, static_cast<T*>(out));
    });
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
