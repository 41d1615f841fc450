// Pooling. Windows of 2 x 2 with stride 2 have their own loops: four lines of elements in, one out, all contiguous.
#include "kernels/pooling.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/parallel.h"

namespace retort::cpu {
namespace {

constexpr int kTile = 256;  ///< elements per line on the stack

/// The larger of two; the first NaN wins for good. Written as selects: a combined condition would not vectorise.
inline float larger(float best, float later) {
  const float winner = later <= best ? best : later;
  return best != best ? best : winner;
}

/// `left` if the value is the maximum of its window, else 0. With a NaN maximum only NaN matches.
inline float share_of(float value, float maximum, float left) {
  const float share = value == maximum ? left : 0.0F;
  return value != value ? left : share;
}

/// What share_of leaves to the elements that follow.
inline float rest_of(float value, float maximum, float left) {
  const float rest = value == maximum ? 0.0F : left;
  return value != value ? 0.0F : rest;
}

struct Max {
  template <typename T>
  static void forward(const T* a, const T* b, const T* c, const T* d, T* out, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
      out[i] = narrow_rounded<T>(larger(larger(larger(widen(a[i]), widen(b[i])), widen(c[i])), widen(d[i])));
    }
  }

  template <typename T>
  static void backward(const T* a, const T* b, const T* c, const T* d, const T* dy, T* da, T* db, T* dc, T* dd,
                       std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
      const float va = widen(a[i]), vb = widen(b[i]), vc = widen(c[i]), vd = widen(d[i]);
      const float maximum = larger(larger(larger(va, vb), vc), vd);
      const float left_a = widen(dy[i]);
      const float left_b = rest_of(va, maximum, left_a);
      const float left_c = rest_of(vb, maximum, left_b);
      const float left_d = rest_of(vc, maximum, left_c);
      da[i] = narrow_rounded<T>(share_of(va, maximum, left_a));
      db[i] = narrow_rounded<T>(share_of(vb, maximum, left_b));
      dc[i] = narrow_rounded<T>(share_of(vc, maximum, left_c));
      dd[i] = narrow_rounded<T>(left_d);
    }
  }
};

struct Average {
  template <typename T>
  static void forward(const T* a, const T* b, const T* c, const T* d, T* out, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
      out[i] = narrow<T>(0.25F * ((widen(a[i]) + widen(b[i])) + (widen(c[i]) + widen(d[i]))));
    }
  }

  template <typename T>
  static void backward(const T*, const T*, const T*, const T*, const T* dy, T* da, T* db, T* dc, T* dd,
                       std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
      const T g = narrow<T>(0.25F * widen(dy[i]));
      da[i] = g;
      db[i] = g;
      dc[i] = g;
      dd[i] = g;
    }
  }
};

/// Separates the pixels of a line into those at even and those at odd columns. kChannels is 0 if not known.
template <int kChannels, typename T>
void split_pairs(const T* line, int pixels, int channels, T* even, T* odd) {
  const int c = kChannels > 0 ? kChannels : channels;
  for (int p = 0; p < pixels; ++p) {
    std::memcpy(even + p * c, line + 2 * p * c, c * sizeof(T));
    std::memcpy(odd + p * c, line + (2 * p + 1) * c, c * sizeof(T));
  }
}

template <int kChannels, typename T>
void join_pairs(const T* even, const T* odd, int pixels, int channels, T* line) {
  const int c = kChannels > 0 ? kChannels : channels;
  for (int p = 0; p < pixels; ++p) {
    std::memcpy(line + 2 * p * c, even + p * c, c * sizeof(T));
    std::memcpy(line + (2 * p + 1) * c, odd + p * c, c * sizeof(T));
  }
}

/// Whether the channels of one pixel fill vectors. Otherwise several pixels are lined up first.
bool fills_vectors(int channels) {
  return channels % 16 == 0 || channels >= 96;
}

/// One line of outputs from two lines of inputs.
template <typename Op, int kChannels, typename T>
void forward_line(const T* upper, const T* lower, int pixels, int channels, T* out) {
  if (fills_vectors(channels)) {
    for (int p = 0; p < pixels; ++p) {
      const T* a = upper + 2 * p * channels;
      const T* c = lower + 2 * p * channels;
      Op::forward(a, a + channels, c, c + channels, out + p * channels, channels);
    }
    return;
  }
  T lanes[4][kTile];
  const int step = kTile / channels;
  for (int p = 0; p < pixels; p += step) {
    const int n = std::min(step, pixels - p);
    split_pairs<kChannels>(upper + 2 * p * channels, n, channels, lanes[0], lanes[1]);
    split_pairs<kChannels>(lower + 2 * p * channels, n, channels, lanes[2], lanes[3]);
    Op::forward(lanes[0], lanes[1], lanes[2], lanes[3], out + p * channels, n * channels);
  }
}

/// Max reads the inputs; Average passes null for them.
template <typename Op, int kChannels, typename T>
void backward_line(const T* upper, const T* lower, const T* dy, int pixels, int channels, T* dupper, T* dlower) {
  constexpr bool kReads = std::is_same_v<Op, Max>;
  if (fills_vectors(channels)) {
    for (int p = 0; p < pixels; ++p) {
      const int at = 2 * p * channels;
      const T* a = kReads ? upper + at : nullptr;
      const T* c = kReads ? lower + at : nullptr;
      Op::backward(a, advance(a, channels), c, advance(c, channels), dy + p * channels, dupper + at,
                   dupper + at + channels, dlower + at, dlower + at + channels, channels);
    }
    return;
  }
  T lanes[4][kTile];
  T results[4][kTile];
  const int step = kTile / channels;
  for (int p = 0; p < pixels; p += step) {
    const int n = std::min(step, pixels - p);
    const int at = 2 * p * channels;
    if constexpr (kReads) {
      split_pairs<kChannels>(upper + at, n, channels, lanes[0], lanes[1]);
      split_pairs<kChannels>(lower + at, n, channels, lanes[2], lanes[3]);
    }
    Op::backward(lanes[0], lanes[1], lanes[2], lanes[3], dy + p * channels, results[0], results[1], results[2],
                 results[3], n * channels);
    join_pairs<kChannels>(results[0], results[1], n, channels, dupper + at);
    join_pairs<kChannels>(results[2], results[3], n, channels, dlower + at);
  }
}

/// The channel counts worth a copy loop of their own: images and LeNet's first layer.
template <typename Body>
void with_narrow_channels(int channels, const Body& body) {
  switch (channels) {
    case 1:
      return body(std::integral_constant<int, 1>{});
    case 3:
      return body(std::integral_constant<int, 3>{});
    case 6:
      return body(std::integral_constant<int, 6>{});
    case 8:
      return body(std::integral_constant<int, 8>{});
    default:
      return body(std::integral_constant<int, 0>{});
  }
}

template <typename Op, typename T>
void forward_2x2(const Pool2dShape& s, const T* x, T* y) {
  const std::int64_t in_line = static_cast<std::int64_t>(s.width) * s.channels;
  const std::int64_t out_line = static_cast<std::int64_t>(s.out_width()) * s.channels;
  const int lines = s.out_height();
  with_narrow_channels(s.channels, [&](auto channels) {
    for_ranges(static_cast<std::int64_t>(s.batch) * lines, grain_of(2 * in_line), [&](auto begin, auto end) {
      for (auto i = begin; i < end; ++i) {
        const T* upper = x + ((i / lines) * s.height + 2 * (i % lines)) * in_line;
        forward_line<Op, channels()>(upper, upper + in_line, s.out_width(), s.channels, y + i * out_line);
      }
    });
  });
}

template <typename Op, typename T>
void backward_2x2(const Pool2dShape& s, const T* x, const T* dy, T* dx) {
  const std::int64_t in_line = static_cast<std::int64_t>(s.width) * s.channels;
  const std::int64_t out_line = static_cast<std::int64_t>(s.out_width()) * s.channels;
  const int lines = s.out_height();
  with_narrow_channels(s.channels, [&](auto channels) {
    for_ranges(s.batch, grain_of(s.height * in_line), [&](auto begin, auto end) {
      for (auto image = begin; image < end; ++image) {
        const T* images = advance(x, image * s.height * in_line);
        T* dimage = dx + image * s.height * in_line;
        for (int p = 0; p < lines; ++p) {
          const T* upper = advance(images, 2 * p * in_line);
          T* dupper = dimage + 2 * p * in_line;
          backward_line<Op, channels()>(upper, advance(upper, in_line), dy + (image * lines + p) * out_line,
                                        s.out_width(), s.channels, dupper, dupper + in_line);
          // The column that no window covers, where the width is odd.
          std::fill(dupper + 2 * out_line, dupper + in_line, T{});
          std::fill(dupper + in_line + 2 * out_line, dupper + 2 * in_line, T{});
        }
        std::fill(dimage + 2 * lines * in_line, dimage + s.height * in_line, T{});
      }
    });
  });
}

/// Any window: body(output element, input element of the window's corner) for each output pixel of [begin, end).
template <typename Body>
void for_windows(const Pool2dShape& s, std::int64_t begin, std::int64_t end, const Body& body) {
  const std::int64_t per_line = s.out_width();
  const std::int64_t per_image = per_line * s.out_height();
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t image = i / per_image, p = i % per_image / per_line, q = i % per_line;
    body(i * s.channels, ((image * s.height + p * s.stride) * s.width + q * s.stride) * s.channels);
  }
}

template <bool kMax, typename T>
void forward_any(const Pool2dShape& s, const T* x, T* y) {
  const std::int64_t pixels = static_cast<std::int64_t>(s.batch) * s.out_height() * s.out_width();
  const float share = 1.0F / static_cast<float>(s.kernel * s.kernel);
  for_ranges(pixels, grain_of(static_cast<std::int64_t>(s.kernel) * s.kernel * s.channels), [&](auto begin, auto end) {
    for_windows(s, begin, end, [&](std::int64_t out, std::int64_t corner) {
      float results[kTile];
      for (int first = 0; first < s.channels; first += kTile) {
        const int n = std::min(kTile, s.channels - first);
        std::fill_n(results, n, kMax ? -std::numeric_limits<float>::infinity() : 0.0F);
        for (int r = 0; r < s.kernel; ++r) {
          for (int k = 0; k < s.kernel; ++k) {
            const T* in = x + corner + (static_cast<std::int64_t>(r) * s.width + k) * s.channels + first;
#pragma omp simd
            for (int c = 0; c < n; ++c) {
              const float value = widen(in[c]);
              if constexpr (kMax) {
                results[c] = larger(results[c], value);
              } else {
                results[c] += value;
              }
            }
          }
        }
#pragma omp simd
        for (int c = 0; c < n; ++c) y[out + first + c] = narrow<T>(kMax ? results[c] : results[c] * share);
      }
    });
  });
}

/// Windows may overlap, so gradients add up: one image is the smallest piece of work. Sums are float whatever the type,
/// so that overlapping bf16 gradients round once, not once a window; float gradients add up in place.
template <bool kMax, typename T>
void backward_any(const Launch& launch, const Pool2dShape& s, const T* x, const T* dy, T* dx) {
  constexpr bool kInPlace = std::is_same_v<T, float>;
  RETORT_CHECK_AS(ErrorKind::internal, launch.workspace_bytes >= pool2d_workspace(s), "pooling has ",
                  launch.workspace_bytes, " bytes of workspace and needs ", pool2d_workspace(s));
  float* sums = static_cast<float*>(launch.workspace);
  if constexpr (kInPlace) sums = dx;
  const std::int64_t image_size = static_cast<std::int64_t>(s.height) * s.width * s.channels;
  const std::int64_t per_image = static_cast<std::int64_t>(s.out_height()) * s.out_width();
  const float share = 1.0F / static_cast<float>(s.kernel * s.kernel);
  for_ranges(s.batch, grain_of(image_size), [&](auto begin, auto end) {
    std::fill(sums + begin * image_size, sums + end * image_size, 0.0F);
    for_windows(s, begin * per_image, end * per_image, [&](std::int64_t out, std::int64_t corner) {
      float maximum[kTile];
      float left[kTile];
      for (int first = 0; first < s.channels; first += kTile) {
        const int n = std::min(kTile, s.channels - first);
        const auto position = [&](int k) {
          return corner + (static_cast<std::int64_t>(k / s.kernel) * s.width + k % s.kernel) * s.channels + first;
        };
        const T* from = dy + out + first;
#pragma omp simd
        for (int c = 0; c < n; ++c) left[c] = kMax ? widen(from[c]) : widen(from[c]) * share;
        if constexpr (kMax) {
          std::fill_n(maximum, n, -std::numeric_limits<float>::infinity());
          for (int k = 0; k < s.kernel * s.kernel; ++k) {
            const T* in = x + position(k);
#pragma omp simd
            for (int c = 0; c < n; ++c) maximum[c] = larger(maximum[c], widen(in[c]));
          }
        }
        for (int k = 0; k < s.kernel * s.kernel; ++k) {
          const T* in = kMax ? x + position(k) : nullptr;
          float* to = sums + position(k);
#pragma omp simd
          for (int c = 0; c < n; ++c) {
            float g = left[c];
            if constexpr (kMax) {
              const float value = widen(in[c]);
              g = share_of(value, maximum[c], left[c]);
              left[c] = rest_of(value, maximum[c], left[c]);
            }
            to[c] += g;
          }
        }
      }
    });
    if constexpr (!kInPlace) {
      for (auto i = begin * image_size; i < end * image_size; ++i) dx[i] = narrow<T>(sums[i]);
    }
  });
}

void check(const Pool2dShape& s) {
  RETORT_CHECK(s.channels > 0 && s.kernel > 0 && s.stride > 0 && s.kernel <= s.height && s.kernel <= s.width,
               "pooling of ", s.height, "x", s.width, "x", s.channels, " with kernel ", s.kernel, ", stride ",
               s.stride);
}

bool is_2x2(const Pool2dShape& s) {
  return s.kernel == 2 && s.stride == 2;
}

}  // namespace

std::size_t pool2d_workspace(const Pool2dShape& shape) {
  if (is_2x2(shape) || shape.dtype == DType::f32) return 0;
  return sizeof(float) * static_cast<std::size_t>(shape.batch) * static_cast<std::size_t>(shape.height) *
         static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.channels);
}

void max_pool2d_forward(const Launch&, const Pool2dShape& shape, const void* x, void* y) {
  check(shape);
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    if (is_2x2(shape)) {
      forward_2x2<Max>(shape, static_cast<const T*>(x), static_cast<T*>(y));
    } else {
      forward_any<true>(shape, static_cast<const T*>(x), static_cast<T*>(y));
    }
  });
}

void max_pool2d_backward(const Launch& launch, const Pool2dShape& shape, const void* x, const void* dy, void* dx) {
  check(shape);
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    if (is_2x2(shape)) {
      backward_2x2<Max>(shape, static_cast<const T*>(x), static_cast<const T*>(dy), static_cast<T*>(dx));
    } else {
      backward_any<true>(launch, shape, static_cast<const T*>(x), static_cast<const T*>(dy), static_cast<T*>(dx));
    }
  });
}

void avg_pool2d_forward(const Launch&, const Pool2dShape& shape, const void* x, void* y) {
  check(shape);
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    if (is_2x2(shape)) {
      forward_2x2<Average>(shape, static_cast<const T*>(x), static_cast<T*>(y));
    } else {
      forward_any<false>(shape, static_cast<const T*>(x), static_cast<T*>(y));
    }
  });
}

void avg_pool2d_backward(const Launch& launch, const Pool2dShape& shape, const void* dy, void* dx) {
  check(shape);
  with_type(shape.dtype, [&](auto type) {
    using T = decltype(type);
    const T* no_input = nullptr;
    if (is_2x2(shape)) {
      backward_2x2<Average>(shape, no_input, static_cast<const T*>(dy), static_cast<T*>(dx));
    } else {
      backward_any<false>(launch, shape, no_input, static_cast<const T*>(dy), static_cast<T*>(dx));
    }
  });
}

void global_avg_pool_forward(const Launch&, int batch, int positions, int channels, DType dtype, const void* x,
                             float* y) {
  constexpr int kBlock = 64;  // positions added in float before their sum joins the others: large images stay exact
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    const std::int64_t image_size = static_cast<std::int64_t>(positions) * channels;
    for_ranges(batch, grain_of(image_size), [&](auto begin, auto end) {
      for (auto image = begin; image < end; ++image) {
        const T* in = static_cast<const T*>(x) + image * image_size;
        float* out = y + image * channels;
        for (int first = 0; first < channels; first += kTile) {
          const int n = std::min(kTile, channels - first);
          float total[kTile] = {};
          for (int block = 0; block < positions; block += kBlock) {
            float sum[kTile] = {};
            for (int p = block; p < std::min(positions, block + kBlock); ++p) {
              const T* line = in + static_cast<std::int64_t>(p) * channels + first;
#pragma omp simd
              for (int c = 0; c < n; ++c) sum[c] += widen(line[c]);
            }
#pragma omp simd
            for (int c = 0; c < n; ++c) total[c] += sum[c];
          }
#pragma omp simd
          for (int c = 0; c < n; ++c) out[first + c] = total[c] / static_cast<float>(positions);
        }
      }
    });
  });
}

void global_avg_pool_backward(const Launch&, int batch, int positions, int channels, DType dtype, const float* dy,
                              void* dx) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    const std::int64_t image_size = static_cast<std::int64_t>(positions) * channels;
    for_ranges(batch, grain_of(image_size), [&](auto begin, auto end) {
      for (auto image = begin; image < end; ++image) {
        const float* from = dy + image * channels;
        T* first = static_cast<T*>(dx) + image * image_size;
#pragma omp simd
        for (int c = 0; c < channels; ++c) first[c] = narrow<T>(from[c] / static_cast<float>(positions));
        for (int p = 1; p < positions; ++p)
          std::copy_n(first, channels, first + static_cast<std::int64_t>(p) * channels);
      }
    });
  });
}

}  // namespace retort::cpu
