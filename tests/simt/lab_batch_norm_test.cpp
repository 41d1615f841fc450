// bench/lab/batch_norm: every version computes the definition, with as many digits and as much memory moved as the
// lab's README says.
#include <algorithm>
#include <cmath>

#include "bench/lab/batch_norm/batch_norm.h"
#include "tests/reference/batch_norm.h"
#include "tests/simt/backend.h"
#include "tests/simt/traffic.h"
#include "tests/support/buffer.h"
#include "tests/support/random.h"

namespace retort::test {
namespace {

/// Normal numbers, of a mean and a deviation that differ from channel to channel about those given.
Values samples(DType dtype, int rows, int channels, double mean, double deviation) {
  Values x = normal_values(static_cast<std::size_t>(rows * channels), 1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<double>(i % static_cast<std::size_t>(channels));
    x[i] = round_to(dtype, mean * (1 + c / 64) + deviation * (1 + c / 16) * x[i]);
  }
  return x;
}

struct Problem {
  BatchNormShape shape;
  Values values, g, b;
  Buffer x, gamma, beta, mean, variance, y, partials;

  Problem(DType dtype, int rows, int channels, double about, double deviation = 1)
      : shape(shape_of(dtype, rows, channels)),
        values(samples(dtype, rows, channels, about, deviation)),
        g(random_values(shape.channels, 2, DType::f32, 0.5, 1.5)),
        b(random_values(shape.channels, 3)),
        x(input(simt_backend(), dtype, values)),
        gamma(input(simt_backend(), DType::f32, g)),
        beta(input(simt_backend(), DType::f32, b)),
        mean(output(simt_backend(), DType::f32, g.size())),
        variance(output(simt_backend(), DType::f32, g.size())),
        y(output(simt_backend(), dtype, values.size())),
        partials(output(simt_backend(), DType::f32, lab::partial_count(sizes()))) {}

  static BatchNormShape shape_of(DType dtype, int rows, int channels) {
    BatchNormShape shape;
    shape.rows = rows;
    shape.channels = channels;
    shape.dtype = dtype;
    shape.relu = true;
    return shape;
  }
  lab::BatchNorm sizes() const {
    lab::BatchNorm p;
    p.rows = static_cast<int>(shape.rows);
    p.channels = shape.channels;
    p.dtype = shape.dtype;
    p.epsilon = shape.epsilon;
    return p;
  }
  lab::BatchNorm arguments() const {
    lab::BatchNorm p = sizes();
    p.x = x.data();
    p.gamma = gamma.f32();
    p.beta = beta.f32();
    p.mean = mean.f32();
    p.variance = variance.f32();
    p.y = y.data();
    p.partials = partials.f32();
    return p;
  }
};

/// The largest relative error of a variance.
double variance_error(const Problem& problem) {
  const reference::Statistics expected = reference::batch_statistics(problem.shape, problem.values);
  const Values found = problem.variance.values();
  double error = 0;
  for (std::size_t c = 0; c < found.size(); ++c) {
    error = std::max(error, std::abs(found[c] / expected.variance[c] - 1));
  }
  return error;
}

void check(const lab::BatchNormVersion& version, const Problem& problem) {
  CAPTURE(version.name);
  CAPTURE(problem.shape.rows);
  CAPTURE(problem.shape.channels);
  version.run({}, problem.arguments());
  const reference::Statistics expected = reference::batch_statistics(problem.shape, problem.values);
  const Values y = reference::batch_norm_forward(
      problem.shape, problem.values, expected.mean,
      reference::reciprocal_deviation(expected.variance, problem.shape.epsilon), problem.g, problem.b, {});
  const Values mean = problem.mean.values(), found = problem.y.values();
  for (std::size_t c = 0; c < mean.size(); ++c) CHECK(std::abs(mean[c] - expected.mean[c]) < 1e-5);
  CHECK((problem.shape.rows == 1 || variance_error(problem) < 1e-5));
  const double rounding = problem.shape.dtype == DType::bf16 ? 0x1p-8 : 0;
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    worst = std::max(worst, std::abs(found[i] - y[i]) - rounding * std::abs(y[i]));
  }
  CHECK(worst < 3e-5);
}

}  // namespace

TEST_CASE("lab: every version of batch norm computes the definition") {
  struct Size {
    int rows, channels;
  };
  // One row; channels that fill no warp, no pack and no slice; chunks that end early; one that v5 does not take.
  for (const auto& [rows, channels] : {Size{1, 8}, {5, 3}, {130, 33}, {257, 12}, {300, 40}, {1100, 16}, {4097, 4}}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Problem problem(dtype, rows, channels, 1);
      for (const lab::BatchNormVersion& version : lab::batch_norm_versions) {
        if (takes(version, problem.sizes())) check(version, problem);
      }
    }
  }
}

TEST_CASE("lab: what the versions of batch norm leave of the variance when the mean is large") {
  for (const double mean : {0.0, 100.0, 10000.0}) {
    const Problem problem(DType::f32, 1024, 8, mean);
    for (const lab::BatchNormVersion& version : lab::batch_norm_versions) {
      version.run({}, problem.arguments());
      const double error = variance_error(problem);
      MESSAGE(std::string(version.name) << ", mean " << mean << ": the variance is off by " << error << " of it");
      const bool squares = version.run == &lab::batch_norm_v2;
      if (squares && mean == 100) CHECK(error > 1e-4);
      if (squares && mean == 10000) CHECK(error > 0.1);
      if (!squares || mean == 0) CHECK(error < 5e-6);
    }
  }
}

TEST_CASE("lab: what the versions of batch norm ask of memory") {
  struct Counted {
    double moved, requests;  ///< of the least; for 32 numbers
  };
  const auto count = [](std::size_t number, DType dtype, int rows, int channels) {
    const lab::BatchNormVersion& version = lab::batch_norm_versions[number - 1];
    const Problem problem(dtype, rows, channels, 0);
    const ::simt::Traffic traffic = ::simt::traffic_of([&] { version.run({}, problem.arguments()); });
    const Counted counted{traffic.sector_bytes() / least_bytes(problem.sizes()),
                          32.0 * static_cast<double>(traffic.requests) / static_cast<double>(problem.values.size())};
    MESSAGE(std::string(version.name) << ", " << std::string(version.idea) << ", " << rows << " x " << channels
                                      << (dtype == DType::bf16 ? " bf16: " : " fp32: ") << counted.requests
                                      << " requests for 32 numbers, sectors " << counted.moved << " times the least");
    return counted;
  };
  const auto fp32 = [&](std::size_t version) { return count(version, DType::f32, 2048, 32); };
  const Counted column = fp32(1), rows = fp32(2), distances = fp32(3), packs = fp32(4), held = fp32(5);
  CHECK(column.moved > 15.9);  // four passes, a sector for each number
  CHECK(rows.moved > 1.5);     // three passes
  CHECK(rows.moved < 1.7);
  CHECK(distances.moved < rows.moved + 0.05);
  CHECK(packs.moved < 1.7);
  CHECK(packs.requests < distances.requests / 3);
  CHECK(held.moved < 1.02);  // two

  const Counted narrow_packs = count(4, DType::bf16, 2048, 32), narrow_held = count(5, DType::bf16, 2048, 32);
  CHECK(narrow_packs.moved < 1.8);
  CHECK(narrow_packs.requests < packs.requests / 1.5);
  CHECK(narrow_held.moved < 1.05);

  // Rows of half a warp.
  CHECK(count(4, DType::f32, 2048, 16).requests < count(3, DType::f32, 2048, 16).requests / 6);
}

}  // namespace retort::test
