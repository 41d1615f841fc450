// The sum of augmented versions of images, with its gradients.
#include "kernels/blend.h"

#include <memory>

#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

using Buffers = std::vector<std::unique_ptr<const Buffer>>;  // a Buffer stays where it is made

BACKEND_TEST("the sum of versions, with the gradients of shares and versions") {
  NEEDS(blend_forward);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const int rows : {1, 5}) {
      for (const int numbers : {3, 48, 3072}) {
        for (const int count : {1, 4, 8}) {
          CAPTURE(static_cast<int>(dtype));
          CAPTURE(numbers);
          CAPTURE(count);
          BlendShape shape{rows, numbers, 3, {}, dtype};
          for (int c = 0; c < 3; ++c)
            shape.map.scale[c] = 1.0F + static_cast<float>(c), shape.map.shift[c] = 0.5F - static_cast<float>(c);
          const std::size_t n = 1UL * rows * numbers;
          const Values x = normal_values(n, 1), dy = normal_values(n, 2, dtype);
          const Values share = random_values(1UL * count * rows, 3, DType::f32, 0, 1);
          const Buffer in = input(backend, DType::f32, x), shares = input(backend, DType::f32, share);
          const Buffer gradient = input(backend, dtype, dy);
          const Buffer y = output(backend, dtype, n), dshare = output(backend, DType::f32, 1UL * count * rows);
          std::vector<Values> versions;
          Buffers on_device, dversions;
          BlendedVersions all;
          all.count = count;
          for (int k = 0; k < count; ++k) {
            versions.push_back(normal_values(n, 10 + static_cast<std::uint32_t>(k)));
            on_device.emplace_back(new Buffer(input(backend, DType::f32, versions.back())));
            dversions.emplace_back(
                new Buffer(output(backend, DType::f32, k % 2 == 0 ? n : 0)));  // not wanted of the others
            all.version[k] = on_device[k]->f32();
            all.dversion[k] = k % 2 == 0 ? dversions[k]->f32() : nullptr;
          }
          backend.blend_forward({}, shape, all, in.f32(), shares.f32(), y.data());
          backend.blend_backward({}, shape, all, in.f32(), shares.f32(), gradient.data(), dshare.f32());
          Values want = x, dwant(1UL * count * rows, 0.0);
          for (int k = 0; k < count; ++k) {
            Values dversion(n, 0.0);
            for (int i = 0; i < rows; ++i) {
              for (int p = 0; p < numbers; ++p) {
                const std::size_t at = 1UL * i * numbers + p;
                const double own = share[k * rows + i], moved = versions[k][at] - x[at];
                const double g = dy[at] * shape.map.scale[p % 3];
                want[at] += own * moved;
                dwant[k * rows + i] += g * moved;
                dversion[at] = own * g;
              }
            }
            if (k % 2 == 0) check_within("dversion", dversions[k]->values(), dversion, 1e-5);
          }
          for (std::size_t at = 0; at < n; ++at)
            want[at] = want[at] * shape.map.scale[at % 3] + shape.map.shift[at % 3];
          check_within("y", y.values(), want, dtype == DType::bf16 ? 0.2 : 1e-4);
          check_within("dshare", dshare.values(), dwant, 5e-5 * std::sqrt(numbers) + 1e-5);
        }
      }
    }
  }
}

}  // namespace
}  // namespace retort::test
