#include "distill/significance.h"

#include <doctest/doctest.h>

#include <cmath>

#include "distill/run_setup.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

Significance sample() { return {{0, 4, 1, 3, 1}, {10, 11, 12, 13, 14}, {2, 0, 1, 1, 0}, 8}; }

void check_weights(const std::string& mapping, double top_share, const std::vector<double>& expected) {
  CAPTURE(mapping);
  const std::vector<float> weights = significance_weights(sample(), mapping, top_share);
  REQUIRE(weights.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(weights[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

}  // namespace

TEST_CASE("significance: weights by hand") {
  check_weights("rate", 0, {0, 0.5, 0.125, 0.375, 0.125});
  check_weights("linear", 0, {0, 1, 0.25, 0.75, 0.25});
  const double l = std::log(9.0);
  check_weights("log", 0, {0, std::log(5.0) / l, std::log(2.0) / l, std::log(4.0) / l, std::log(2.0) / l});
  check_weights("top-share", 0.4, {0, 1, 0, 1, 0});
  check_weights("top-share", 0.6, {0, 1, 1, 1, 0});  // samples 2 and 4 tie: the lower index wins
  check_weights("top-share", 0, {0, 0, 0, 0, 0});
  check_weights("top-share", 1, {1, 1, 1, 1, 1});
}

TEST_CASE("significance: weights where nothing was ever significant, or always") {
  const Significance never{{0, 0}, {0, 1}, {0, 0}, 3}, always{{3, 3}, {0, 1}, {0, 0}, 3};
  for (const std::string mapping : {"rate", "linear", "log"}) {
    CAPTURE(mapping);
    CHECK(significance_weights(never, mapping, 0) == std::vector<float>{0, 0});
    CHECK(significance_weights(always, mapping, 0) == std::vector<float>{1, 1});
  }
  // A teacher saved in the middle of an epoch has counts above its number of whole epochs.
  CHECK(significance_weights({{1, 0}, {0, 1}, {0, 0}, 0}, "rate", 0) == std::vector<float>{1, 0});
  CHECK(failure_of([] { significance_weights(sample(), "square", 0); }).says("square"));
}

TEST_CASE("significance: the subset is the rows with a positive weight") {
  CHECK(positive_rows({0, 0.5F, 0, 1, 1e-6F}) == std::vector<std::int32_t>{1, 3, 4});
  CHECK(positive_rows({0, 0}).empty());
}

TEST_CASE("significance: counts follow their sample into another selection of the data") {
  const Significance s = aligned(sample(), {13, 11}, {1, 0}, "counts.csv");
  CHECK(s.count == std::vector<std::int32_t>{3, 4});
  CHECK(s.index == std::vector<std::int32_t>{13, 11});
  CHECK(s.label == std::vector<std::int32_t>{1, 0});
  CHECK(s.epochs == 8);
  CHECK(failure_of([] { aligned(sample(), {11, 15}, {0, 0}, "counts.csv"); })
            .blames("counts.csv: no significance for training sample 15"));
  CHECK(failure_of([] { aligned(sample(), {11}, {3}, "counts.csv"); })
            .blames("counts.csv: training sample 11 has label 3 here and 0 there"));
}

TEST_CASE("significance: a teacher's counts are what it counted, in its file and in its checkpoint") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "teacher");
  o.regulation = "mask";
  o.confidence = 0.4;
  o.epochs = 3;
  o.subset = "30";
  run(o);
  const Significance csv = read_significance_csv(folder / "teacher/significance.csv");
  const std::string last = folder / "teacher/last.safetensors";
  const Significance file = significance_of(read_safetensors(last), last);
  CHECK(csv.count == file.count);
  CHECK(csv.index == file.index);
  CHECK(csv.label == file.label);
  CHECK(csv.epochs == 3);
  CHECK(file.epochs == 3);
  const Dataset data = dataset_of(o);
  CHECK(csv.index == data.train.source);  // rows of the set as published, not of the subset
  CHECK(csv.label == data.train.labels);
  std::int64_t counted = 0, participants = 0;
  for (const std::int32_t count : csv.count) counted += count;
  for (const auto& epoch : metrics_of(folder / "teacher")) participants += epoch["participants"].get<std::int64_t>();
  CHECK(counted == participants);
  CHECK(counted > 0);
}
