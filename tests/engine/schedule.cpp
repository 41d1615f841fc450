#include "engine/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/engine/expect_error.h"

namespace retort::test {
namespace {

Schedule schedule(Schedule::Kind kind, double peak = 0.4) {
  Schedule out;
  out.kind = kind;
  out.peak = peak;
  return out;
}

}  // namespace

TEST_CASE("schedule: constant is constant, after a linear warmup if there is one") {
  Schedule s = schedule(Schedule::Kind::constant);
  for (const double epoch : {0.0, 3.5, 10.0}) CHECK(s.rate(epoch, 10) == 0.4);
  s.warmup = 0.2;
  CHECK(s.rate(0, 10) == 0);
  CHECK(s.rate(0.5, 10) == doctest::Approx(0.1).epsilon(1e-14));
  CHECK(s.rate(1, 10) == doctest::Approx(0.2).epsilon(1e-14));
  CHECK(s.rate(2, 10) == 0.4);
  CHECK(s.rate(10, 10) == 0.4);
}

TEST_CASE("schedule: multi-step multiplies by gamma from each milestone on") {
  Schedule s = schedule(Schedule::Kind::multi_step);
  s.milestones = {5, 8};
  s.gamma = 0.5;
  CHECK(s.rate(0, 10) == 0.4);
  CHECK(s.rate(4.999, 10) == 0.4);
  CHECK(s.rate(5, 10) == 0.2);
  CHECK(s.rate(7.999, 10) == 0.2);
  CHECK(s.rate(8, 10) == 0.1);
  CHECK(s.rate(10, 10) == 0.1);
  s.warmup = 0.1;
  CHECK(s.rate(0.5, 10) == doctest::Approx(0.2).epsilon(1e-14));
  CHECK(s.rate(1, 10) == 0.4);
}

TEST_CASE("schedule: cosine falls from the peak to zero, behind the warmup") {
  Schedule s = schedule(Schedule::Kind::cosine);
  CHECK(s.rate(0, 10) == doctest::Approx(0.4).epsilon(1e-14));
  CHECK(s.rate(2.5, 10) == doctest::Approx(0.2 * (1 + std::sqrt(0.5))).epsilon(1e-14));
  CHECK(s.rate(5, 10) == doctest::Approx(0.2).epsilon(1e-14));
  CHECK(std::abs(s.rate(10, 10)) < 1e-15);
  s.warmup = 0.2;
  CHECK(s.rate(1, 10) == doctest::Approx(0.2).epsilon(1e-14));
  CHECK(s.rate(2, 10) == doctest::Approx(0.4).epsilon(1e-14));
  CHECK(s.rate(6, 10) == doctest::Approx(0.2).epsilon(1e-14));
}

// PyTorch counts steps 0 to T - 1 and peaks at step pct_start T - 1. Ours is a function of progress in [0, 1]: with
// progress = step / (T - 1) and rise = (pct_start T - 1) / (T - 1) the two are the same function; for T to infinity
// rise is pct_start.
TEST_CASE("schedule: one-cycle is PyTorch's OneCycleLR") {
  const auto check = [](const Schedule& s, double pct_start, const std::vector<double>& torch) {
    const auto total = static_cast<double>(torch.size());
    Schedule mapped = s;
    mapped.rise = (pct_start * total - 1) / (total - 1);
    for (std::size_t step = 0; step < torch.size(); ++step) {
      INFO("step " << step);
      CHECK(mapped.rate(static_cast<double>(step), total - 1) == doctest::Approx(torch[step]).epsilon(1e-12));
    }
  };
  // torch 1.13: OneCycleLR(max_lr=0.4, total_steps=11, pct_start=0.3)
  check(schedule(Schedule::Kind::one_cycle), 0.3,
        {0.016000000000000014, 0.16893644549389433, 0.38410456988904701, 0.39189862712852064, 0.35379028990745215,
         0.29043481971901136, 0.21223308323503992, 0.13202321159491795, 0.062973005119803152, 0.016418217282516346,
         1.5999999999999999e-06});
  // the same with pct_start=0.4, div_factor=10, final_div_factor=100
  Schedule s = schedule(Schedule::Kind::one_cycle);
  s.initial_divisor = 10;
  s.final_divisor = 100;
  check(s, 0.4,
        {0.03999999999999998, 0.11152576545173382, 0.26925933821297487, 0.38784500129278404, 0.39190669612817663,
         0.34480206081339304, 0.2655481790708209, 0.17176549531299767, 0.084304629467674627, 0.022610677358746313,
         0.00040000000000000002});
}

TEST_CASE("schedule: one-cycle moves momentum like PyTorch's OneCycleLR, the others leave it alone") {
  // torch 1.13: SGD(momentum=0.9), OneCycleLR(max_lr=0.4, total_steps=11, pct_start=0.3), base and max momentum by default
  const std::vector<double> torch{0.95, 0.9101728006526316, 0.8541394349247273, 0.8520253513192751, 0.8615524737330319,
                                  0.8773914046358657, 0.8969419169589078, 0.9169944650791307, 0.9342570857483922,
                                  0.9458958292626879, 0.95};
  Schedule s = schedule(Schedule::Kind::one_cycle);
  s.rise = (0.3 * 11 - 1) / 10;
  s.cycle_momentum = 0.05;
  for (std::size_t step = 0; step < torch.size(); ++step) {
    INFO("step " << step);
    CHECK(s.momentum_at(static_cast<double>(step), 10) == doctest::Approx(torch[step]).epsilon(1e-12));
  }
  s.cycle_momentum = 0;
  CHECK(s.momentum_at(3, 10) == 0.9);
  s = schedule(Schedule::Kind::cosine);
  s.cycle_momentum = 0.05;
  CHECK(s.momentum_at(3, 10) == 0.9);
}

TEST_CASE("schedule: one-cycle ignores the warmup and peaks where it should") {
  Schedule s = schedule(Schedule::Kind::one_cycle);
  s.warmup = 0.5;
  CHECK(s.rate(0, 20) == doctest::Approx(0.4 / 25).epsilon(1e-14));
  CHECK(s.rate(6, 20) == doctest::Approx(0.4).epsilon(1e-14));
  CHECK(s.rate(20, 20) == doctest::Approx(0.4 / 25 / 1e4).epsilon(1e-9));
}

TEST_CASE("schedule: shares at the edges do not divide by zero") {
  for (const auto kind :
       {Schedule::Kind::constant, Schedule::Kind::multi_step, Schedule::Kind::cosine, Schedule::Kind::one_cycle}) {
    for (const double share : {0.0, 1.0}) {
      Schedule s = schedule(kind);
      s.warmup = share;
      s.rise = share;
      for (const double epoch : {0.0, 5.0, 10.0, 11.0}) {
        CHECK(std::isfinite(s.rate(epoch, 10)));
        CHECK(s.rate(epoch, 10) >= 0);
        CHECK(s.rate(epoch, 10) <= 0.4);
        CHECK(std::isfinite(s.rate(epoch, 0)));
      }
    }
  }
}

TEST_CASE("schedule: names go both ways") {
  for (const char* name : {"constant", "multi-step", "cosine", "one-cycle"}) {
    CHECK(std::string(schedule_name(schedule_kind(name))) == name);
  }
  check_contains(message_of(ErrorKind::usage, [] { schedule_kind("linear"); }), "'linear'");
}

}  // namespace retort::test
