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

/// Spearman's rank correlation, ties at their mean rank. Throws Error(usage) for fewer than two pairs.
double spearman(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace retort
