// Scale, shift and a 5x5 convolution of images, against the sums of the definition.
#include "kernels/colour_filter.h"

#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

struct Definition {
  Values y, dscale_shift, dweight;
};

Definition by_definition(const ColourFilterShape& s, const Values& x, const Values& scale_shift, const Values& weight,
                         const Values& dy) {
  Definition out{Values(x.size(), 0.0), Values(scale_shift.size(), 0.0), Values(weight.size(), 0.0)};
  const auto at = [&](int n, int h, int w, int c) { return ((1UL * n * s.height + h) * s.width + w) * s.channels + c; };
  for (int n = 0; n < s.rows; ++n) {
    for (int h = 0; h < s.height; ++h) {
      for (int w = 0; w < s.width; ++w) {
        for (int tap = 0; tap < 25; ++tap) {
          const int row = h + tap / 5 - 2, column = w + tap % 5 - 2;
          if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
          for (int o = 0; o < s.channels; ++o) {
            for (int c = 0; c < s.channels; ++c) {
              const std::size_t own = (1UL * o * 25 + tap) * s.channels + c, from = at(n, row, column, c);
              const double z = scale_shift[2 * n] * x[from] + scale_shift[2 * n + 1], g = dy[at(n, h, w, o)];
              out.y[at(n, h, w, o)] += weight[own] * z;
              out.dweight[own] += g * z;
              out.dscale_shift[2 * n] += g * weight[own] * x[from];
              out.dscale_shift[2 * n + 1] += g * weight[own];
            }
          }
        }
      }
    }
  }
  return out;
}

BACKEND_TEST("a colour filter scales, shifts and convolves, and its gradients are those of the sums") {
  NEEDS(colour_filter_forward);
  for (const ColourFilterShape shape :
       {ColourFilterShape{1, 1, 1, 1}, {2, 5, 5, 1}, {9, 7, 11, 3}, {3, 32, 32, 3}, {2, 3, 9, 4}}) {
    CAPTURE(shape.rows);
    CAPTURE(shape.height);
    CAPTURE(shape.channels);
    const std::size_t n = 1UL * shape.rows * shape.height * shape.width * shape.channels;
    const Values x = random_values(n, 1, DType::f32, 0, 1), dy = normal_values(n, 2);
    const Values scale_shift = normal_values(2UL * shape.rows, 3), weight = normal_values(1UL * shape.weights(), 4);
    const Buffer in = input(backend, DType::f32, x), st = input(backend, DType::f32, scale_shift);
    const Buffer w = input(backend, DType::f32, weight), g = input(backend, DType::f32, dy);
    const Buffer y = output(backend, DType::f32, n), dst = output(backend, DType::f32, 2UL * shape.rows);
    const Buffer alone = output(backend, DType::f32, 2UL * shape.rows),
                 dw = output(backend, DType::f32, 1UL * shape.weights());
    const Workspace scratch(backend, backend.colour_filter_workspace(shape));
    ColourFilterShape fixed = shape;
    fixed.weight_gradient = false;
    const Workspace less(backend, backend.colour_filter_workspace(fixed));
    backend.colour_filter_forward(less.launch(), fixed, in.f32(), st.f32(), w.f32(), y.f32());
    backend.colour_filter_backward(scratch.launch(), shape, in.f32(), st.f32(), w.f32(), g.f32(), dst.f32(), dw.f32());
    backend.colour_filter_backward(less.launch(), fixed, in.f32(), st.f32(), w.f32(), g.f32(), alone.f32(), nullptr);
    const Definition want = by_definition(shape, x, scale_shift, weight, dy);
    const double pixels = std::sqrt(1.0 * shape.rows * shape.height * shape.width);
    check_within("y", y.values(), want.y, 1e-4);
    check_within("scale and shift", dst.values(), want.dscale_shift, 2e-4 * pixels);
    check_within("weight", dw.values(), want.dweight, 2e-5 * pixels + 1e-5);
    check_equal("without the weight's", alone.values(), dst.values());
  }
}

}  // namespace
}  // namespace retort::test
