// Winograd convolutions of every shape they support, also where another algorithm is faster.
#include "kernels/cpu/winograd.h"

#include "tests/kernels/convolution_checks.h"

namespace retort::test {
namespace {

namespace winograd = cpu::winograd;

/// Makes the CPU backend use Winograd wherever it can, on some number of threads.
class Forced {
 public:
  explicit Forced(int threads) : threads_before_(cpu::threads()) {
    winograd::set_use(winograd::Use::wherever_possible);
    cpu::set_threads(threads);
  }
  Forced(const Forced&) = delete;
  Forced& operator=(const Forced&) = delete;
  ~Forced() {
    cpu::set_threads(threads_before_);
    winograd::set_use(winograd::Use::where_faster);
  }

 private:
  int threads_before_;
};

/// What the rounding errors of a Winograd filter gradient are relative to: the sums it takes, with absolute values
/// everywhere. A tap that few pixels meet (all of them in a small image) is what remains of larger terms.
Values filter_magnitude(const Conv2dShape& s, const Values& x, const Values& dy) {
  constexpr double a = 0.625, b = 1.5, aa = a * a, bb = b * b;
  constexpr double sa = 1 / (2 * aa * (bb - aa)), sb = 1 / (2 * bb * (bb - aa));
  static constexpr double kInput[6][6] = {{aa * bb, 0, aa + bb, 0, 1, 0}, {0, a * bb, bb, a, 1, 0},  // |B^T|
                                          {0, a * bb, bb, a, 1, 0},       {0, aa * b, aa, b, 1, 0},
                                          {0, aa * b, aa, b, 1, 0},       {0, aa * bb, 0, aa + bb, 0, 1}};
  static constexpr double kOutput[6][6] = {{0, 1, 0, 0, 0, 0},       {0, 1, a, aa, a * aa, 0},  // |A|, framed
                                           {0, 1, a, aa, a * aa, 0}, {0, 1, b, bb, b * bb, 0},
                                           {0, 1, b, bb, b * bb, 0}, {0, 0, 0, 0, 1, 0}};
  static constexpr double kWeight[3][6] = {{1 / (aa * bb), sa, sa, sb, sb, 0},  // |G^T|
                                           {0, a * sa, a * sa, b * sb, b * sb, 0},
                                           {0, aa * sa, aa * sa, bb * sb, bb * sb, 1}};
  const auto pixel = [&s](const Values& image, int channels, int n, int h, int w, int c) {
    const bool inside = h >= 0 && h < s.height && w >= 0 && w < s.width;
    return inside ? image[((n * s.height + h) * s.width + w) * channels + c] : 0.0;
  };
  /// The transform of the 6x6 pixels around a tile.
  const auto transform = [&](const double(&map)[6][6], const Values& image, int channels, int n, int p, int q) {
    Values out(36UL * channels, 0.0);
    for (int i = 0; i < 36; ++i)
      for (int j = 0; j < 36; ++j) {
        const double factor = map[i / 6][j / 6] * map[i % 6][j % 6];
        for (int c = 0; factor != 0 && c < channels; ++c) {
          out[i * channels + c] += factor * pixel(image, channels, n, p - 1 + j / 6, q - 1 + j % 6, c);
        }
      }
    return out;
  };
  Values sums(reference::weight_count(s), 0.0);
  for (int n = 0; n < s.batch; ++n)
    for (int p = 0; p < s.height; p += 4)
      for (int q = 0; q < s.width; q += 4) {
        const Values v = transform(kInput, x, s.in_channels, n, p, q);
        const Values z = transform(kOutput, dy, s.out_channels, n, p, q);
        for (int k = 0; k < s.out_channels; ++k)
          for (int tap = 0; tap < 9; ++tap)
            for (int i = 0; i < 36; ++i) {
              const double factor = kWeight[tap / 3][i / 6] * kWeight[tap % 3][i % 6] * z[i * s.out_channels + k];
              for (int c = 0; factor != 0 && c < s.in_channels; ++c) {
                sums[(k * 9 + tap) * s.in_channels + c] += factor * v[i * s.in_channels + c];
              }
            }
      }
  return sums;
}

TEST_CASE("Winograd convolutions compute what the definition says, all three passes") {
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    const Forced forced(threads);
    for (const cases::ConvolutionCase& c : cases::winograd_cases()) {
      CHECK(winograd::chosen(c.shape));
      check_conv2d_forward(cpu_backend(), c);
      check_conv2d_backward_data(cpu_backend(), c);
      check_conv2d_backward_filter(cpu_backend(), c, filter_magnitude);
    }
  }
}

TEST_CASE("Winograd convolutions add bias and residual and take the ReLU as they write a tile") {
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    const Forced forced(threads);
    for (const auto& c : cases::fused_cases(cases::winograd_cases())) check_fused_convolution(cpu_backend(), c);
  }
}

TEST_CASE(
    "Winograd outputs and data gradients have the same bits for any number of threads, filter gradients in "
    "every run") {
  const cases::ConvolutionCase c{"", {3, 9, 12, 32, 48, 3, 3, 1, 1}, true};
  const ConvolutionOperands o(c);
  const Backend& backend = cpu_backend();
  const Buffer x = input(backend, DType::f32, o.x);
  const Buffer weight = input(backend, DType::f32, o.weight);
  const Buffer bias = input(backend, DType::f32, o.bias);
  const Buffer dy = input(backend, DType::f32, o.dy);
  const auto size_of_workspace = [&](ConvolutionPass pass) {
    return backend.conv2d_workspace(c.shape, pass, Precision::fp32);
  };
  const auto outputs = [&](int threads) {
    const Forced forced(threads);
    const Workspace workspace(backend, std::max(size_of_workspace(ConvolutionPass::forward),
                                                size_of_workspace(ConvolutionPass::backward_data)));
    const Buffer y = output(backend, DType::f32, o.dy.size());
    const Buffer fused = output(backend, DType::f32, o.dy.size());
    const Buffer dx = output(backend, DType::f32, o.x.size());
    backend.fused_convolution(workspace.launch(), {c.shape, true, true}, x.data(), weight.data(), bias.f32(), dy.data(),
                              fused.data());
    backend.conv2d_forward(workspace.launch(), c.shape, x.data(), weight.data(), bias.f32(), y.data());
    backend.conv2d_backward_data(workspace.launch(), c.shape, dy.data(), weight.data(), dx.data());
    return std::vector{y.bytes(), fused.bytes(), dx.bytes()};
  };
  const auto gradients = [&](int threads) {
    const Forced forced(threads);
    const Workspace workspace(backend, size_of_workspace(ConvolutionPass::backward_filter));
    const Buffer dweight = output(backend, DType::f32, o.weight.size());
    const Buffer dbias = output(backend, DType::f32, o.bias.size());
    backend.conv2d_backward_filter(workspace.launch(), c.shape, x.data(), dy.data(), dweight.f32(), dbias.f32());
    return std::vector{dweight.bytes(), dbias.bytes()};
  };
  const auto alone = outputs(1);
  for (const int threads : {1, 2, 3, 5}) {
    CAPTURE(threads);
    CHECK(outputs(threads) == alone);
    CHECK(gradients(threads) == gradients(threads));
  }
}

TEST_CASE("Winograd takes only the convolutions it is made for") {
  const Conv2dShape s{128, 32, 32, 16, 16, 3, 3, 1, 1};
  CHECK(winograd::supports(s));
  const auto but = [&s](auto change) {
    Conv2dShape other = s;
    change(other);
    return winograd::supports(other);
  };
  CHECK_FALSE(but([](Conv2dShape& o) { o.dtype = DType::bf16; }));
  CHECK_FALSE(but([](Conv2dShape& o) { o.in_channels = 3; }));
  CHECK_FALSE(but([](Conv2dShape& o) { o.out_channels = 40; }));
  CHECK_FALSE(but([](Conv2dShape& o) { o.stride = 2; }));
  CHECK_FALSE(but([](Conv2dShape& o) { o.padding = 0; }));
  CHECK_FALSE(but([](Conv2dShape& o) { o.kernel_w = 1; }));
}

}  // namespace
}  // namespace retort::test
