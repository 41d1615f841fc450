// The convolutions of bench/lab: every version computes the same, and moves as much memory as its README says.
#include "bench/lab/convolution/convolution.h"
#include "tests/cases/convolution_cases.h"
#include "tests/reference/convolution.h"
#include "tests/simt/backend.h"
#include "tests/simt/traffic.h"
#include "tests/support/buffer.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

struct Problem {
  Conv2dShape shape;
  Values values_x, values_filter;
  Buffer x, filter, y;

  explicit Problem(const Conv2dShape& s)
      : shape(s),
        values_x(random_values(reference::input_count(s), 1, s.dtype)),
        values_filter(random_values(reference::weight_count(s), 2, s.dtype)),
        x(input(simt_backend(), s.dtype, values_x)),
        filter(input(simt_backend(), s.dtype, values_filter)),
        y(output(simt_backend(), s.dtype, reference::output_count(s))) {}

  lab::Convolution arguments() const { return lab::convolution_of(shape, x.data(), filter.data(), y.data()); }
};

/// Tensor cores cut off what does not fit, in sums of eight products and one before: ten errors of 2^-23 each.
Values bounds_of(const lab::Convolution& p, const Values& expected, const Values& magnitude) {
  Values bounds = sum_bounds(p.shape.dtype, expected, magnitude, p.terms());
  if (p.shape.dtype != DType::bf16) return bounds;
  for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] += (p.terms() / 8 + 4) * 10 * 0x1p-23 * magnitude[i];
  return bounds;
}

void check_versions(Conv2dShape shape) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    shape.dtype = dtype;
    const Problem operands(shape);
    const Values expected = reference::conv2d_forward(shape, operands.values_x, operands.values_filter, {});
    const Values magnitude =
        reference::conv2d_forward(shape, absolute(operands.values_x), absolute(operands.values_filter), {});
    for (const lab::ConvolutionVersion& version : lab::convolution_versions) {
      if (!lab::takes(version, shape)) continue;
      CAPTURE(cases::name_of(shape, false));
      CAPTURE(version.name);
      const Buffer y = output(simt_backend(), dtype, expected.size());
      const lab::Convolution p = lab::convolution_of(shape, operands.x.data(), operands.filter.data(), y.data());
      version.run({}, p);
      check_within("y", y.values(), expected, bounds_of(p, expected, magnitude));
    }
  }
}

}  // namespace

TEST_CASE("lab: every version of the convolution computes the definition") {
  check_versions({1, 7, 5, 3, 16, 3, 3, 1, 1});  // a network's first layer: v1 to v3
  check_versions({2, 5, 7, 16, 16, 3, 3, 1, 1});
  check_versions({1, 9, 7, 16, 32, 3, 3, 2, 1});
  check_versions({3, 7, 9, 16, 20, 1, 1, 2, 0});  // its shortcut, and channels that fill no tile
  check_versions({1, 8, 9, 8, 68, 3, 3, 1, 1});   // two tiles of pixels and two of channels, terms that fill no chunk
  check_versions({1, 3, 5, 64, 32, 1, 3, 1, 0});
}

TEST_CASE("lab: what the versions of the convolution ask of memory") {
  Conv2dShape shape{2, 10, 10, 16, 64, 3, 3, 1, 0};  // no padding: each product is one
  constexpr std::uint64_t terms = 3 * 3 * 16, pixels = 2 * 8 * 8, channels = 64;
  std::vector<::simt::Traffic> traffic;
  for (const lab::ConvolutionVersion& version : lab::convolution_versions) {
    shape.dtype = version.dtype;
    const Problem problem(shape);
    const lab::Convolution p = problem.arguments();
    const ::simt::Traffic t = ::simt::traffic_of([&] { version.run({}, p); });
    traffic.push_back(t);
    const auto shared = [&] {
      if (t.shared_requests == 0) return std::string("not used");
      const double passes = static_cast<double>(t.shared_passes);
      return std::to_string(shape.macs() / passes) + " products a pass, " +
             std::to_string(100 * static_cast<double>(t.shared_conflicts) / passes) + " % of the passes by conflicts";
    };
    MESSAGE(std::string(version.name) << ", " << std::string(version.idea) << ": sectors "
                                      << t.sector_bytes() / lab::least_bytes(p) << " times the least, "
                                      << lab::operations(p) / t.sector_bytes()
                                      << " operations a byte; shared memory: " << shared());
  }
  const auto of = [&](std::size_t version) { return traffic[version - 1]; };
  // Device memory. fp32: 8 terms or channels a sector.
  constexpr std::uint64_t y = pixels * channels / 8;
  CHECK(of(1).sectors == pixels * channels / 32 * terms * (32 + 1) + y);  // 32 filters and a pixel for each term
  CHECK(of(2).sectors == (pixels / 16 * channels / 16) * (16 + 16) * terms / 8 + y);
  CHECK(of(3).sectors == (pixels / 64 * channels / 64) * (64 + 64) * terms / 8 + y);
  CHECK(of(4).sectors == of(3).sectors);
  CHECK(of(5).sectors <= of(4).sectors / 2);  // less where two taps of neighbouring pixels are one sector
  CHECK(of(6).sectors == of(5).sectors);
  CHECK(of(4).requests < of(3).requests / 2);
  // Shared memory. For each term a warp's passes: those of pixels, and of filters with their conflicts; and the stores.
  CHECK(of(1).shared_requests == 0);
  CHECK(of(2).shared_passes == pixels * channels / 32 * (terms * (1 + 8) + terms / 16 * 2));
  CHECK(of(3).shared_passes == pixels / 64 * 4 * (terms * (8 + 4 * 8) + terms / 16 * 16));
  CHECK(of(4).shared_passes == pixels / 64 * 4 * (terms / 4 * (8 + 4) * 4 + terms / 16 * 4 * 4));
  CHECK(of(5).shared_passes == pixels / 64 * 4 * 5 * (8 * 4 + 4 * 4));  // five chunks of 32 terms
  CHECK(of(6).shared_passes == of(5).shared_passes);
  for (const std::size_t version : {4, 5, 6}) CHECK(of(version).shared_conflicts == 0);
}

}  // namespace retort::test
