// Pooling on every backend against its definition, ties and NaN included.
#include "tests/reference/pooling.h"

#include "tests/cases/pooling_cases.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

/// Few distinct values, so that most windows have ties; now and then a NaN.
Values values_with_ties(const Pool2dShape& s) {
  Values x = random_integers(reference::input_count(s), 5, 4);
  for (std::size_t i = 0; i < x.size(); i += 23) x[i] = NAN;
  return x;
}

double windows_per_pixel(const Pool2dShape& s) {
  return 1.0 * s.kernel * s.kernel;
}

TEST_CASE("the reference pooling's gradients agree with finite differences of its forward pass") {
  for (const int stride : {1, 2, 3}) {
    const Pool2dShape s{2, 5, 6, 2, 3, stride};
    const Values x = random_values(reference::input_count(s), 1);
    const Values dy = random_values(reference::output_count(s), 2);
    const auto by_max = [&](const Values& v) { return dot(reference::max_pool2d_forward(s, v), dy); };
    const auto by_avg = [&](const Values& v) { return dot(reference::avg_pool2d_forward(s, v), dy); };
    check_within("max", reference::max_pool2d_backward(s, x, dy), finite_differences(by_max, x), 1e-8);
    check_within("avg", reference::avg_pool2d_backward(s, dy), finite_differences(by_avg, x), 1e-8);
  }
  const Values x = random_values(30, 1);
  const Values dy = random_values(6, 2);
  const auto by_global = [&](const Values& v) { return dot(reference::global_avg_pool_forward(2, 5, 3, v), dy); };
  check_within("global", reference::global_avg_pool_backward(2, 5, 3, dy), finite_differences(by_global, x), 1e-8);
}

BACKEND_TEST("max pooling takes the maximum, and NaN counts as one") {
  NEEDS(max_pool2d_forward);
  for (const cases::PoolingCase& c : cases::pooling_cases()) {
    CAPTURE(c.id);
    for (const bool ties : {false, true}) {
      const Values values =
          ties ? values_with_ties(c.shape) : normal_values(reference::input_count(c.shape), 1, c.shape.dtype);
      const Buffer x = input(backend, c.shape.dtype, values);
      const Buffer y = output(backend, c.shape.dtype, reference::output_count(c.shape));
      backend.max_pool2d_forward({}, c.shape, x.data(), y.data());
      check_equal("y", y.values(), reference::max_pool2d_forward(c.shape, values));
    }
  }
}

BACKEND_TEST("max pooling of values that are all negative, or all minus infinity, still finds the maximum") {
  NEEDS(max_pool2d_forward);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const Pool2dShape s{1, 4, 4, 1, 2, 2, dtype};
    Values values = random_values(16, 1, dtype, -3, -1);
    for (const int i : {0, 1, 4, 5}) values[i] = -HUGE_VAL;
    const Buffer x = input(backend, dtype, values);
    const Buffer y = output(backend, dtype, 4);
    backend.max_pool2d_forward({}, s, x.data(), y.data());
    check_equal("y", y.values(), reference::max_pool2d_forward(s, values));
    const Buffer dy = input(backend, dtype, {1, 2, 3, 4});
    const Buffer dx = output(backend, dtype, 16);
    const Workspace workspace(backend, backend.pool2d_workspace(s));
    backend.max_pool2d_backward(workspace.launch(), s, x.data(), dy.data(), dx.data());
    check_equal("dx", dx.values(), reference::max_pool2d_backward(s, values, {1, 2, 3, 4}));
  }
}

BACKEND_TEST("max pooling sends the gradient to the first maximum of a window") {
  NEEDS(max_pool2d_backward);
  for (const cases::PoolingCase& c : cases::pooling_cases()) {
    CAPTURE(c.id);
    const Pool2dShape& s = c.shape;
    for (const bool ties : {false, true}) {
      const Values values = ties ? values_with_ties(s) : normal_values(reference::input_count(s), 1, s.dtype);
      const Values gradient = normal_values(reference::output_count(s), 2, s.dtype);
      const Buffer x = input(backend, s.dtype, values);
      const Buffer dy = input(backend, s.dtype, gradient);
      const Buffer dx = output(backend, s.dtype, reference::input_count(s));
      const Workspace workspace(backend, backend.pool2d_workspace(s));
      backend.max_pool2d_backward(workspace.launch(), s, x.data(), dy.data(), dx.data());
      const Values expected = reference::max_pool2d_backward(s, values, gradient);
      const Values magnitude = reference::max_pool2d_backward(s, values, absolute(gradient));
      check_within("dx", dx.values(), expected, sum_bounds(s.dtype, expected, magnitude, windows_per_pixel(s)));
    }
  }
}

BACKEND_TEST("average pooling averages a window and spreads its gradient evenly") {
  NEEDS(avg_pool2d_forward);
  for (const cases::PoolingCase& c : cases::pooling_cases()) {
    CAPTURE(c.id);
    const Pool2dShape& s = c.shape;
    const Values values = normal_values(reference::input_count(s), 1, s.dtype);
    const Values gradient = normal_values(reference::output_count(s), 2, s.dtype);
    const Buffer x = input(backend, s.dtype, values);
    const Buffer dy = input(backend, s.dtype, gradient);
    const Buffer y = output(backend, s.dtype, reference::output_count(s));
    const Buffer dx = output(backend, s.dtype, reference::input_count(s));
    backend.avg_pool2d_forward({}, s, x.data(), y.data());
    const Workspace workspace(backend, backend.pool2d_workspace(s));
    backend.avg_pool2d_backward(workspace.launch(), s, dy.data(), dx.data());
    const double terms = windows_per_pixel(s) + 2;
    const Values want_y = reference::avg_pool2d_forward(s, values);
    const Values size_y = reference::avg_pool2d_forward(s, absolute(values));
    check_within("y", y.values(), want_y, sum_bounds(s.dtype, want_y, size_y, terms));
    const Values want_x = reference::avg_pool2d_backward(s, gradient);
    const Values size_x = reference::avg_pool2d_backward(s, absolute(gradient));
    check_within("dx", dx.values(), want_x, sum_bounds(s.dtype, want_x, size_x, terms));
  }
}

BACKEND_TEST("global average pooling gives f32 means and takes f32 gradients back") {
  NEEDS(global_avg_pool_forward);
  for (const cases::GlobalPoolingCase& c : cases::global_pooling_cases()) {
    CAPTURE(c.id);
    const std::size_t count = 1UL * c.batch * c.positions * c.channels;
    const Values values = normal_values(count, 1, c.dtype);
    const Values gradient = normal_values(1UL * c.batch * c.channels, 2);
    const Buffer x = input(backend, c.dtype, values);
    const Buffer dy = input(backend, DType::f32, gradient);
    const Buffer y = output(backend, DType::f32, gradient.size());
    const Buffer dx = output(backend, c.dtype, count);
    backend.global_avg_pool_forward({}, c.batch, c.positions, c.channels, c.dtype, x.data(), y.f32());
    backend.global_avg_pool_backward({}, c.batch, c.positions, c.channels, c.dtype, dy.f32(), dx.data());
    const Values want_y = reference::global_avg_pool_forward(c.batch, c.positions, c.channels, values);
    const Values size_y = reference::global_avg_pool_forward(c.batch, c.positions, c.channels, absolute(values));
    check_within("y", y.values(), want_y, sum_bounds(DType::f32, want_y, size_y, c.positions + 2));
    const Values want_x = reference::global_avg_pool_backward(c.batch, c.positions, c.channels, gradient);
    check_within("dx", dx.values(), want_x, rounding_bounds(c.dtype, want_x, 3));
  }
}

}  // namespace
}  // namespace retort::test
