// Changes of images: gradients flow to how they are changed.
#include <doctest/doctest.h>

#include <cmath>

#include "engine/image_ops.h"
#include "tests/support/finite_difference.h"

namespace retort::test {
namespace {

const Shape image{3, 6, 7, 2};

/// Bilinear in row and column, so that no line between pixels is a kink of what is sampled.
Tensor smooth_images(Device device) {
  Values values;
  for (int n = 0; n < 3; ++n)
    for (int i = 0; i < 6; ++i)
      for (int j = 0; j < 7; ++j)
        for (int c = 0; c < 2; ++c)
          values.push_back(0.3 * (n - 1) * i + 0.2 * (1 - 2 * c) * j + 0.05 * (n + c) * i * j);
  return device_tensor(device, image, values);
}

}  // namespace

BACKEND_TEST("gradients: colour_filter and blend") {
  const Tensor x = smooth_images(backend.device);
  check_gradients(
      "colour_filter", backend.device, {linear_in(activation({3, 2}, 1)), linear_in(trained({2, 5, 5, 2}, 2))},
      Network([&](Tape& t, const std::vector<Var>& v) { return std::vector<Var>{colour_filter(t, x, v[0], v[1])}; }),
      2e-4);
  ChannelMap map;
  map.scale[1] = 3;
  map.shift[0] = -1;
  check_gradients("blend", backend.device,
                  {activation(image, 1), constant(activation(image, 2)), activation(image, 3), activation({3, 3}, 4)},
                  Network([&](Tape& t, const std::vector<Var>& v) {
                    return std::vector<Var>{blend(t, x, {v[0], v[1], v[2]}, v[3], map)};
                  }),
                  1e-4);
}

BACKEND_TEST("gradients: affine_sample") {
  const Tensor x = smooth_images(backend.device);
  Operand theta = activation({3, 6}, 1);
  for (std::size_t k = 0; k < theta.values.size(); ++k)
    theta.values[k] = theta.values[k] / 20 + (k % 6 == 0 || k % 6 == 4 ? 0.6 : 0);
  theta.step = 1.0 / 4096;  // bilinear: differences must not reach the next pixel
  check_gradients(
      "affine_sample", backend.device, {theta},
      Network([&](Tape& t, const std::vector<Var>& v) { return std::vector<Var>{affine_sample(t, x, v[0])}; }), 2e-3);
}

TEST_CASE("op arguments: changes of images") {
  Context context(Device::cpu);
  Tape tape(context);
  const auto zeros = [](const Shape& shape) {
    return leaf(device_tensor(Device::cpu, shape, Values(static_cast<std::size_t>(shape.count()), 0.0)));
  };
  const Tensor x = zeros({2, 4, 4, 3})->value;
  const auto refused = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.kind() == ErrorKind::usage;
    }
    return false;
  };
  CHECK(refused([&] { affine_sample(tape, x, zeros({2, 5})); }));
  CHECK(refused([&] { affine_sample(tape, x, zeros({3, 6})); }));
  CHECK(refused([&] { colour_filter(tape, x, zeros({2, 3}), zeros({3, 5, 5, 3})); }));
  CHECK(refused([&] { colour_filter(tape, x, zeros({2, 2}), zeros({3, 3, 3, 3})); }));
  CHECK(refused([&] { blend(tape, x, {}, zeros({0, 2})); }));
  CHECK(refused([&] { blend(tape, x, {zeros({2, 4, 4, 1})}, zeros({1, 2})); }));
  CHECK(refused([&] { blend(tape, x, {zeros({2, 4, 4, 3})}, zeros({2, 2})); }));
}

}  // namespace retort::test
