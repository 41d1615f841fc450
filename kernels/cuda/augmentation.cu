// A thread writes a few neighbouring numbers of an image. It draws its sample's crop, flip and mixture for itself,
// which costs less than to fetch them. Labels and other columns are a few hundred numbers: some more blocks have them,
// which nobody waits for.
#include "kernels/augmentation_draws.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/pack.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

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
template <typename T, int kCount, bool kMixes>
__global__ void augment_kernel(const __grid_constant__ AugmentShape shape, unsigned image_blocks, std::int64_t packs,
                               const std::uint8_t* images, const std::int32_t* samples,
                               const __grid_constant__ BatchColumns columns, const StepState* state, T* out) {
  if (blockIdx.x >= image_blocks) {
    const std::int64_t thread = grid_thread() - std::int64_t{image_blocks} * blockDim.x;
    const std::int64_t threads = grid_threads() - std::int64_t{image_blocks} * blockDim.x;
    if (columns.labels != nullptr) {
      for (std::int64_t i = thread; i < shape.rows; i += threads) {
        columns.labels[i] = label_of(shape, columns, samples[i], *state);
      }
    }
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
    const ShownImage own(shape, images, sample, *state);
    const Mixture mixture = kMixes ? mixture_of(shape, sample, *state) : Mixture{};
    const ShownImage partner = mixture.mixed ? ShownImage(shape, images, mixture.partner, *state) : own;
    int c = first % shape.out_channels;
    int j = first / shape.out_channels % shape.width;
    int line = first / shape.out_channels / shape.width;
    const auto value = [&] {
      if (c >= shape.channels) return 0.0F;
      const float brightness =
          mixture.mixed ? brightness_of(shape, mixture, own, partner, line, j, c) : own.at(shape, line, j, c);
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
  int width = columns.labels != nullptr ? 1 : 0;
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
      const auto kernel = shape.mix.kind == MixKind::none ? &augment_kernel<T, count(), false>
                                                          : &augment_kernel<T, count(), true>;
      launch(at, "gather_augment", kernel, blocks, kThreads, 0, shape, image_blocks, n / count(), images, samples,
             columns, state, static_cast<T*>(out));
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
