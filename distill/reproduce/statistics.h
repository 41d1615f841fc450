// Numbers of a few runs.
#pragma once

#include <vector>

namespace retort {

struct Spread {
  double mean = 0;
  double deviation = 0;  ///< sample standard deviation; 0 for fewer than two values
  int n = 0;
  double standard_error() const;
};
Spread spread_of(const std::vector<double>& values);

/// What is reached, the more the better, and what it costs.
struct Bargain {
  double value = 0, cost = 0;
  /// At least as good and as cheap, and better in one: the other is on no frontier.
  bool outdoes(const Bargain& other) const {
    return value >= other.value && cost <= other.cost && (value > other.value || cost < other.cost);
  }
};

/// Spearman's rank correlation, ties at their mean rank. Throws Error(usage) for fewer than two pairs.
double spearman(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace retort
