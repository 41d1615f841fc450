#include "engine/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/error.h"

namespace retort {
namespace {

/// From `start` to `end` along half a cosine; share in [0, 1].
double anneal(double start, double end, double share) {
  return end + (start - end) / 2 * (1 + std::cos(std::numbers::pi * share));
}

struct Named {
  const char* name;
  Schedule::Kind kind;
};
constexpr Named names[] = {{"constant", Schedule::Kind::constant},
                           {"multi-step", Schedule::Kind::multi_step},
                           {"cosine", Schedule::Kind::cosine},
                           {"one-cycle", Schedule::Kind::one_cycle}};

}  // namespace

double Schedule::rate(double epoch, double epochs) const {
  const double share = epochs > 0 ? std::clamp(epoch / epochs, 0.0, 1.0) : 0.0;
  if (kind == Kind::one_cycle) {
    const double initial = peak / initial_divisor;
    if (share < rise) return anneal(initial, peak, share / rise);
    return anneal(peak, initial / final_divisor, rise < 1 ? (share - rise) / (1 - rise) : 1.0);
  }
  if (share < warmup) return peak * share / warmup;
  if (kind == Kind::cosine) return anneal(peak, 0, warmup < 1 ? (share - warmup) / (1 - warmup) : 1.0);
  double rate = peak;
  if (kind == Kind::multi_step) {
    for (const double milestone : milestones) {
      if (epoch >= milestone) rate *= gamma;
    }
  }
  return rate;
}

double Schedule::momentum_at(double epoch, double epochs) const {
  if (kind != Kind::one_cycle) return momentum;
  const double share = epochs > 0 ? std::clamp(epoch / epochs, 0.0, 1.0) : 0.0;
  const double high = momentum + cycle_momentum, low = momentum - cycle_momentum;
  if (share < rise) return anneal(high, low, share / rise);
  return anneal(low, high, rise < 1 ? (share - rise) / (1 - rise) : 1.0);
}

Schedule::Kind schedule_kind(const std::string& name) {
  for (const Named& entry : names) {
    if (name == entry.name) return entry.kind;
  }
  fail(ErrorKind::usage, "unknown schedule '" + name + "' (known: constant, multi-step, cosine, one-cycle)");
}

const char* schedule_name(Schedule::Kind kind) {
  for (const Named& entry : names) {
    if (kind == entry.kind) return entry.name;
  }
  return "?";
}

}  // namespace retort
