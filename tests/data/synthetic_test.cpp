#include "data/synthetic.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/temporary_folder.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("synthetic: the generator is frozen") {
  // These bytes are what every result on this set rests on. If this fails, the generator changed: undo that.
  CHECK(make_synthetic({.train = 64, .test = 32}).checksum == "train:de44499d test:41c85571");
  CHECK(make_synthetic({.train = 64, .test = 32, .classes = 4, .seed = 7, .noise = 0.25F}).checksum ==
        "train:d4c74a80 test:1e0f1133");
}

TEST_CASE("synthetic: a sample depends on its number alone") {
  const Dataset few = make_synthetic({.train = 10, .test = 5}), many = make_synthetic({.train = 40, .test = 20});
  CHECK(std::equal(few.train.pixels.begin(), few.train.pixels.end(), many.train.pixels.begin()));
  CHECK(std::equal(few.test.labels.begin(), few.test.labels.end(), many.test.labels.begin()));
  CHECK(few.test.pixels[0] != few.train.pixels[0]);
  CHECK(make_synthetic({.train = 10, .test = 5, .seed = 2}).checksum != few.checksum);
}

TEST_CASE("synthetic: difficulty is uniform and independent of the class") {
  const Dataset set = make_synthetic({.train = 4000, .test = 1});
  std::vector<double> sum(10), count(10);
  double total = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    const float d = set.train.difficulty[i];
    REQUIRE(d >= 0);
    REQUIRE(d < 1);
    sum[static_cast<std::size_t>(set.train.labels[i])] += d;
    count[static_cast<std::size_t>(set.train.labels[i])] += 1;
    total += d;
  }
  CHECK(total / 4000 == doctest::Approx(0.5).epsilon(0.03));
  for (std::size_t c = 0; c < 10; ++c) {
    CHECK(count[c] > 320);
    CHECK(count[c] < 480);
    CHECK(sum[c] / count[c] == doctest::Approx(0.5).epsilon(0.12));  // four standard errors
  }
}

TEST_CASE("synthetic: label noise changes the asked share of training labels and says which") {
  const Dataset clean = make_synthetic({.train = 3000, .test = 50});
  const Dataset noisy = make_synthetic({.train = 3000, .test = 50, .noise = 0.2F});
  CHECK(clean.train.clean_labels.empty());
  CHECK(noisy.train.clean_labels == clean.train.labels);
  CHECK(noisy.train.pixels == clean.train.pixels);
  CHECK(noisy.test.labels == clean.test.labels);
  int changed = 0;
  for (std::size_t i = 0; i < 3000; ++i) changed += noisy.train.labels[i] != noisy.train.clean_labels[i];
  CHECK(changed > 520);
  CHECK(changed < 680);
}

TEST_CASE("synthetic: options are parsed and checked") {
  const Dataset set = load_dataset("synthetic:train=12,test=6,classes=3,seed=9,noise=0.5");
  CHECK(set.name == "synthetic");
  CHECK(set.train.count() == 12);
  CHECK(set.test.count() == 6);
  CHECK(set.classes == 3);
  CHECK(set.class_names.size() == 3);
  CHECK(*std::max_element(set.train.labels.begin(), set.train.labels.end()) <= 2);
  for (const std::string bad : {"train=0", "train=x", "train=5x", "classes=1", "classes=11", "noise=1", "noise=-0.1",
                                "noise=nan", "seed=-1", "trian=5", "train", "train=99999999999"}) {
    const Failure failure = failure_of([&] { load_dataset("synthetic:" + bad); });
    CAPTURE(bad);
    CHECK(failure.failed);
    CHECK(failure.kind == ErrorKind::usage);
    CHECK(failure.says(bad.substr(0, bad.find('='))));
  }
}
