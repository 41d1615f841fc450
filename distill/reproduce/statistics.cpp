#include "distill/reproduce/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/error.h"

namespace retort {
namespace {

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto i, auto j) { return values[i] < values[j]; });
  std::vector<double> rank(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    for (std::size_t k = i; k < j; ++k) rank[order[k]] = (static_cast<double>(i) + static_cast<double>(j) - 1) / 2;
    i = j;
  }
  return rank;
}

}  // namespace

double Spread::standard_error() const {
  return n > 1 ? deviation / std::sqrt(n) : 0;
}

Spread spread_of(const std::vector<double>& values) {
  Spread out;
  out.n = static_cast<int>(values.size());
  for (const double v : values) out.mean += v / out.n;
  if (out.n < 2) return out;
  double squares = 0;
  for (const double v : values) squares += (v - out.mean) * (v - out.mean);
  out.deviation = std::sqrt(squares / (out.n - 1));
  return out;
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  RETORT_CHECK(a.size() == b.size() && a.size() > 1, "spearman: ", a.size(), " and ", b.size(), " values");
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double mean = (static_cast<double>(a.size()) - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

}  // namespace retort
