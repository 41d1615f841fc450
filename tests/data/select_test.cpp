#include "data/select.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/synthetic.h"
#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

namespace {

Dataset whole() {
  return make_synthetic({.train = 100, .test = 20, .noise = 0.3F});
}

/// Every per-sample vector of `part` is that of `from` at the rows it names.
void check_rows(const ImageSplit& part, const ImageSplit& from) {
  REQUIRE(part.source.size() == static_cast<std::size_t>(part.count()));
  CHECK(std::is_sorted(part.source.begin(), part.source.end()));
  for (std::size_t i = 0; i < part.source.size(); ++i) {
    const auto row = static_cast<std::size_t>(part.source[i]);
    CHECK(part.labels[i] == from.labels[row]);
    CHECK(part.clean_labels[i] == from.clean_labels[row]);
    CHECK(part.difficulty[i] == from.difficulty[row]);
    CHECK(std::equal(part.pixels.begin() + static_cast<std::ptrdiff_t>(i * 3072),
                     part.pixels.begin() + static_cast<std::ptrdiff_t>((i + 1) * 3072),
                     from.pixels.begin() + static_cast<std::ptrdiff_t>(row * 3072)));
  }
}

}  // namespace

TEST_CASE("select: the first N") {
  const Dataset all = whole();
  Dataset part = all;
  limit_train(part, 30);
  limit_test(part, 500);
  CHECK(part.train.count() == 30);
  CHECK(part.test.count() == 20);
  CHECK(part.test.source.empty());
  CHECK(part.train.source_row(29) == 29);
  CHECK(all.train.source_row(29) == 29);
  CHECK(part.checksum != all.checksum);
  CHECK(part.checksum == checksum_of(part));
  check_rows(part.train, all.train);
  CHECK(failure_of([&] { limit_train(part, 0); }).kind == ErrorKind::usage);
}

TEST_CASE("select: a random subset is the same for the same seed, by count or by share") {
  const Dataset all = whole();
  Dataset a = all, b = all, c = all, d = all;
  subset_train(a, "25", 3);
  subset_train(b, "0.25", 3);
  subset_train(c, "25%", 3);
  subset_train(d, "25", 4);
  CHECK(a.train.count() == 25);
  CHECK(a.train.source == b.train.source);
  CHECK(a.train.source == c.train.source);
  CHECK(a.train.source != d.train.source);
  check_rows(a.train, all.train);
  Dataset smaller = all;
  subset_train(smaller, "10", 3);
  CHECK(std::includes(a.train.source.begin(), a.train.source.end(), smaller.train.source.begin(),
                      smaller.train.source.end()));  // subsets of one seed are nested
  Dataset same = all;
  subset_train(same, "1.0", 3);
  CHECK(same.checksum == all.checksum);
  for (const std::string bad : {"0", "101", "-5", "x", "5x", "0.0", "1.5", "120%", "%", ".", "nan", "12.5.1"}) {
    CAPTURE(bad);
    const Failure failure = failure_of([&] { subset_train(same, bad, 3); });
    CHECK(failure.failed);
    CHECK(failure.kind == ErrorKind::usage);
  }
}

TEST_CASE("select: how many a subset is, without making it") {
  CHECK(subset_count("20/class", 60'000, 10) == 200);
  CHECK(subset_count("5000", 60'000, 10) == 5000);
  CHECK(subset_count("10%", 60'000, 10) == 6000);
  CHECK(subset_count("0.25", 60'000, 10) == 15'000);
  CHECK(subset_count("10/class", 100, 10) == 100);
  CHECK(failure_of([] { subset_count("20/class", 100, 0); }).kind == ErrorKind::usage);
  for (const char* many : {"11/class", "2000000000/class", "3000000000/class"}) {  // the last two: beyond an int
    CAPTURE(std::string(many));
    CHECK(failure_of([&] { subset_count(many, 100, 10); }).kind == ErrorKind::usage);
  }
}

TEST_CASE("select: as many of each class") {
  const Dataset all = whole();
  Dataset few = all, more = all, other = all;
  subset_train(few, "3/class", 3);
  subset_train(more, "4/class", 3);
  subset_train(other, "3/class", 4);
  std::vector<int> count(static_cast<std::size_t>(all.classes));
  for (const std::int32_t label : few.train.labels) ++count[static_cast<std::size_t>(label)];
  for (const int n : count) CHECK(n == 3);
  check_rows(few.train, all.train);
  CHECK(std::is_sorted(few.train.source.begin(), few.train.source.end()));
  CHECK(few.train.source != other.train.source);
  CHECK(few.checksum != all.checksum);
  CHECK(std::includes(more.train.source.begin(), more.train.source.end(), few.train.source.begin(), few.train.source.end()));
  for (const std::string bad : {"0/class", "-1/class", "1000/class", "/class", "0.5/class", "3/classes", "3 /class"}) {
    CAPTURE(bad);
    Dataset same = all;
    const Failure failure = failure_of([&] { subset_train(same, bad, 3); });
    CHECK(failure.failed);
    CHECK(failure.kind == ErrorKind::usage);
  }
}

TEST_CASE("select: the validation split is disjoint, complete and deterministic") {
  const Dataset all = whole();
  Dataset a = all, b = all;
  validation_split(a, 15, 1);
  validation_split(b, 15, 1);
  CHECK(a.train.count() == 85);
  CHECK(a.test.count() == 15);
  check_rows(a.train, all.train);
  check_rows(a.test, all.train);
  std::set<std::int32_t> rows(a.train.source.begin(), a.train.source.end());
  rows.insert(a.test.source.begin(), a.test.source.end());
  CHECK(rows.size() == 100);
  CHECK(a.checksum == b.checksum);
  validation_split(b, 15, 1);  // again, of what is left: rows still name the published split
  for (const std::int32_t row : b.test.source) {
    CHECK(std::binary_search(a.train.source.begin(), a.train.source.end(), row));
  }
  CHECK(failure_of([&] { validation_split(a, 85, 1); }).kind == ErrorKind::usage);
}

TEST_CASE("select: load_dataset applies them in order") {
  const Dataset set = load_dataset("synthetic:train=100,test=20",
                                   {.seed = 5, .val_split = 20, .limit = 40, .limit_test = 10, .subset = "0.5"});
  CHECK(set.train.count() == 20);
  CHECK(set.test.count() == 10);
  Dataset same = make_synthetic({.train = 100, .test = 20});
  validation_split(same, 20, 5);
  limit_train(same, 40);
  limit_test(same, 10);
  subset_train(same, "20", 5);
  CHECK(same.checksum == set.checksum);
}

TEST_CASE("select: regression targets and auxiliary rows stay with their images") {
  Dataset set;
  set.name = "gaze";
  set.height = set.width = 1;
  set.channels = 1;
  ImageSplit split;
  split.target_width = 2;
  split.auxiliary_width = 1;
  for (std::uint8_t i = 0; i < 6; ++i) {
    split.pixels.push_back(i);
    split.targets.insert(split.targets.end(), {i + 0.25F, i + 0.5F});
    split.auxiliary.push_back(-static_cast<float>(i));
  }
  set.train = set.test = split;
  validate(set);
  subset_train(set, "3", 1);
  validate(set);
  REQUIRE(set.train.count() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto value = static_cast<float>(set.train.pixels[i]);
    CHECK(set.train.source[i] == set.train.pixels[i]);
    CHECK(set.train.targets[2 * i] == value + 0.25F);
    CHECK(set.train.targets[2 * i + 1] == value + 0.5F);
    CHECK(set.train.auxiliary[i] == -value);
  }
}
