// Windows of an image: a thread a place of the result, with 16 bytes of channels where they divide into packs.
// Gradients are gathered, not scattered, so sums stay in registers, in the same order in every run.
#include "kernels/cuda/floats.h"
#include "kernels/cuda/launch.h"
#include "kernels/pooling.h"

namespace retort::RETORT_CUDA_NAMESPACE {
namespace {

constexpr int kThreads = 256;

struct Windows {
  int height, width, channels;
  int out_height, out_width;
  int kernel, stride;
};

/// The element that number i of the pieces of an array (N, rows, columns, C) begins with.
struct Place {
  std::int64_t image;
  int row, column, channel;

  __device__ Place(std::int64_t i, int rows, int columns, int pieces, int piece) {
    const std::int64_t pixel = i / pieces, line = pixel / columns;
    channel = static_cast<int>(i - pixel * pieces) * piece;
    column = static_cast<int>(pixel - line * columns);
    image = line / rows;
    row = static_cast<int>(line - image * rows);
  }
};

/// Whether a later element of a window takes the maximum from an earlier one: NaN is the largest, and the first wins.
__device__ __forceinline__ bool beats(float later, float earlier) {
  return earlier == earlier && !(later <= earlier);
}

/// kPairs: windows of 2 x 2 with stride 2, whose loops unroll, so that their loads are on the way together.
template <bool kMax, bool kPairs, typename T, int kCount>
__global__ void forward_kernel(Windows s, std::int64_t n, const T* x, T* y) {
  using Piece = Floats<kCount>;
  const int kernel = kPairs ? 2 : s.kernel;
  const int stride = kPairs ? 2 : s.stride;
  const float share = 1.0F / static_cast<float>(kernel * kernel);
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) {
    const Place at(i, s.out_height, s.out_width, s.channels / kCount, kCount);
    const T* corner =
        x + ((at.image * s.height + at.row * stride) * s.width + at.column * stride) * s.channels + at.channel;
    Piece result = Piece::load(corner);
    for (int k = 1; k < kernel * kernel; ++k) {
      const Piece value = Piece::load(corner + (std::int64_t{k / kernel} * s.width + k % kernel) * s.channels);
      for (int c = 0; c < kCount; ++c) {
        if constexpr (kMax) {
          result.v[c] = beats(value.v[c], result.v[c]) ? value.v[c] : result.v[c];
        } else {
          result.v[c] += value.v[c];
        }
      }
    }
    if constexpr (!kMax) {
      for (int c = 0; c < kCount; ++c) result.v[c] *= share;
    }
    result.store(y + i * kCount);
  }
}

/// Windows that do not overlap: a thread a cell of stride x stride pixels, which holds one window, or at the lower and
/// right edges none. Everything is read once and written once.
template <bool kPairs, typename T, int kCount>
__global__ void max_backward_apart_kernel(Windows s, int rows, int columns, std::int64_t n, const T* x, const T* dy,
                                          T* dx) {
  using Piece = Floats<kCount>;
  const int kernel = kPairs ? 2 : s.kernel;
  const int stride = kPairs ? 2 : s.stride;
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) {
    const Place at(i, rows, columns, s.channels / kCount, kCount);
    const int top = at.row * stride, left = at.column * stride;
    const std::int64_t corner = ((at.image * s.height + top) * s.width + left) * s.channels + at.channel;
    const bool window = at.row < s.out_height && at.column < s.out_width;
    Piece gradient{};
    int winner[kCount] = {};
    if (window) {
      gradient =
          Piece::load(dy + ((at.image * s.out_height + at.row) * s.out_width + at.column) * s.channels + at.channel);
      Piece best = Piece::load(x + corner);
      for (int k = 1; k < kernel * kernel; ++k) {
        const Piece value = Piece::load(x + corner + (std::int64_t{k / kernel} * s.width + k % kernel) * s.channels);
        for (int c = 0; c < kCount; ++c) {
          const bool better = beats(value.v[c], best.v[c]);
          best.v[c] = better ? value.v[c] : best.v[c];
          winner[c] = better ? k : winner[c];
        }
      }
    }
    for (int r = 0; r < stride; ++r) {
      for (int k = 0; k < stride; ++k) {
        if (top + r >= s.height || left + k >= s.width) continue;
        const int number = r < kernel && k < kernel ? r * kernel + k : -1;
        Piece share;
        for (int c = 0; c < kCount; ++c) share.v[c] = number == winner[c] ? gradient.v[c] : 0.0F;
        share.store(dx + corner + (std::int64_t{r} * s.width + k) * s.channels);
      }
    }
  }
}

/// The windows that hold a row or column: first <= p <= last, none where first > last.
struct Range {
  int first, last;

  __device__ Range(int at, int kernel, int stride, int windows)
      : first(at < kernel ? 0 : (at - kernel) / stride + 1), last(at / stride < windows ? at / stride : windows - 1) {}
};

/// Adds what the pixel gets from one window to `sum`: for channel c the gradient if the pixel is the first maximum.
template <typename T, int kCount>
__device__ void add_if_maximum(const Windows& s, const Floats<kCount>& mine, int number, const T* corner, const T* dy,
                               Floats<kCount>& sum) {
  using Piece = Floats<kCount>;
  unsigned wins = (1U << kCount) - 1U;
  for (int k = 0; k < s.kernel * s.kernel && wins != 0; ++k) {
    if (k == number) continue;
    const Piece other = Piece::load(corner + (std::int64_t{k / s.kernel} * s.width + k % s.kernel) * s.channels);
    for (int c = 0; c < kCount; ++c) {
      const bool stays = k < number ? beats(mine.v[c], other.v[c]) : !beats(other.v[c], mine.v[c]);
      if (!stays) wins &= ~(1U << c);
    }
  }
  if (wins == 0) return;
  const Piece gradient = Piece::load(dy);
  for (int c = 0; c < kCount; ++c) sum.v[c] += (wins >> c & 1U) != 0 ? gradient.v[c] : 0.0F;
}

/// Any windows: each pixel adds up, in row-major order, what the windows that hold it give.
template <bool kMax, typename T, int kCount>
__global__ void backward_kernel(Windows s, std::int64_t n, const T* x, const T* dy, T* dx) {
  using Piece = Floats<kCount>;
  const float share = 1.0F / static_cast<float>(s.kernel * s.kernel);
  for (std::int64_t i = grid_thread(); i < n; i += grid_threads()) {
    const Place at(i, s.height, s.width, s.channels / kCount, kCount);
    const Range rows(at.row, s.kernel, s.stride, s.out_height);
    const Range columns(at.column, s.kernel, s.stride, s.out_width);
    Piece mine{};
    if constexpr (kMax) mine = Piece::load(x + i * kCount);
    Piece sum{};
    for (int p = rows.first; p <= rows.last; ++p) {
      for (int q = columns.first; q <= columns.last; ++q) {
        const T* from = dy + ((at.image * s.out_height + p) * s.out_width + q) * s.channels + at.channel;
        if constexpr (kMax) {
          const int top = p * s.stride, left = q * s.stride;
          const T* corner = x + ((at.image * s.height + top) * s.width + left) * s.channels + at.channel;
          add_if_maximum(s, mine, (at.row - top) * s.kernel + at.column - left, corner, from, sum);
        } else {
          const Piece gradient = Piece::load(from);
          for (int c = 0; c < kCount; ++c) sum.v[c] += gradient.v[c] * share;
        }
      }
    }
    sum.store(dx + i * kCount);
  }
}

Windows windows_of(const Pool2dShape& s) {
  return {s.height, s.width, s.channels, s.out_height(), s.out_width(), s.kernel, s.stride};
}

bool in_pairs(const Pool2dShape& s) {
  return s.kernel == 2 && s.stride == 2;
}

template <bool kMax>
void forward(const Launch& at, const char* name, const Pool2dShape& shape, const void* x, void* y) {
  const Windows s = windows_of(shape);
  if (shape.batch == 0) return;
  with_type(shape.dtype, [&](auto type) {
    with_pack<decltype(type)>(s.channels, wide(x, y), [&](auto count) {
      using T = decltype(type);
      constexpr int kCount = count();
      const std::int64_t n = std::int64_t{shape.batch} * s.out_height * s.out_width * (s.channels / kCount);
      launch(at, name,
             in_pairs(shape) ? &forward_kernel<kMax, true, T, kCount> : &forward_kernel<kMax, false, T, kCount>,
             striding_blocks(n, kThreads), kThreads, 0, s, n, static_cast<const T*>(x), static_cast<T*>(y));
    });
  });
}

}  // namespace

/// Sums of gradients never leave registers.
std::size_t pool2d_workspace(const Pool2dShape&) {
  return 0;
}

void max_pool2d_forward(const Launch& at, const Pool2dShape& shape, const void* x, void* y) {
  forward<true>(at, "max_pool2d_forward", shape, x, y);
}

void avg_pool2d_forward(const Launch& at, const Pool2dShape& shape, const void* x, void* y) {
  forward<false>(at, "avg_pool2d_forward", shape, x, y);
}

void max_pool2d_backward(const Launch& at, const Pool2dShape& shape, const void* x, const void* dy, void* dx) {
  const Windows s = windows_of(shape);
  if (shape.batch == 0) return;
  with_type(shape.dtype, [&](auto type) {
    with_pack<decltype(type)>(s.channels, wide(x, dy, dx), [&](auto count) {
      using T = decltype(type);
      constexpr int kCount = count();
      const std::int64_t pieces = std::int64_t{shape.batch} * (s.channels / kCount);
      const auto in = static_cast<const T*>(x), gradient = static_cast<const T*>(dy);
      if (s.kernel > s.stride) {
        const std::int64_t n = pieces * s.height * s.width;
        launch(at, "max_pool2d_backward", &backward_kernel<true, T, kCount>, striding_blocks(n, kThreads), kThreads, 0,
               s, n, in, gradient, static_cast<T*>(dx));
        return;
      }
      const int rows = (s.height + s.stride - 1) / s.stride, columns = (s.width + s.stride - 1) / s.stride;
      const std::int64_t n = pieces * rows * columns;
      launch(
          at, "max_pool2d_backward",
          in_pairs(shape) ? &max_backward_apart_kernel<true, T, kCount> : &max_backward_apart_kernel<false, T, kCount>,
          striding_blocks(n, kThreads), kThreads, 0, s, rows, columns, n, in, gradient, static_cast<T*>(dx));
    });
  });
}

void avg_pool2d_backward(const Launch& at, const Pool2dShape& shape, const void* dy, void* dx) {
  const Windows s = windows_of(shape);
  if (shape.batch == 0) return;
  with_type(shape.dtype, [&](auto type) {
    with_pack<decltype(type)>(s.channels, wide(dy, dx), [&](auto count) {
      using T = decltype(type);
      constexpr int kCount = count();
      const std::int64_t n = std::int64_t{shape.batch} * s.height * s.width * (s.channels / kCount);
      launch(at, "avg_pool2d_backward", &backward_kernel<false, T, kCount>, striding_blocks(n, kThreads), kThreads, 0,
             s, n, static_cast<const T*>(nullptr), static_cast<const T*>(dy), static_cast<T*>(dx));
    });
  });
}

}  // namespace retort::RETORT_CUDA_NAMESPACE
