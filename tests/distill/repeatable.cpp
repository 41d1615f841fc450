// The same options give the same bits; another seed gives others.
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("repeatable: two processes with the same options are the same run, another seed is another") {
  const TemporaryFolder folder;
  const auto teach = [&](const std::string& out, const std::string& seed) {
    check_done(retort_program({"teach", "--data", "synthetic:train=80,test=20,classes=4", "--net", "resnet8", "--threads",
                               "2", "--epochs", "2", "--batch", "32", "--augment", "crop-flip", "--regulation", "mask",
                               "--confidence", "0.5", "--seed", seed, "--out", folder / out}));
  };
  teach("a", "1");
  teach("b", "1");
  teach("c", "2");
  check_same_run(folder / "a", folder / "b");
  CHECK(contents(folder / "a/config.toml") == contents(folder / "b/config.toml"));
  CHECK(contents(folder / "a/environment.json") == contents(folder / "b/environment.json"));
  CHECK(weights_of(folder / "a/last.safetensors") != weights_of(folder / "c/last.safetensors"));
  CHECK(metrics_of(folder / "a") != metrics_of(folder / "c"));
}

TEST_CASE("repeatable: the seed alone decides shuffling, augmentation and the random mask") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "start");
  o.epochs = 0.25;
  run(o);
  // From the same parameters, so that only what happens during training can differ.
  const auto weights = [&](const std::string& out, std::uint32_t seed, const std::string& what) {
    RunOptions n = small_run("teach", folder / out);
    n.init = folder / "start";
    n.seed = seed;
    n.epochs = 1;
    n.shuffle = what == "shuffle" ? "on" : "off";
    n.augment = what == "augment" ? "crop" : "none";
    if (what == "mask") {
      n.regulation = "mask";
      n.mask = "random";
      n.random_share = 0.5;
    }
    run(n);
    return weights_of(folder / out + "/last.safetensors");
  };
  for (const std::string what : {"shuffle", "augment", "mask"}) {
    CAPTURE(what);
    const auto one = weights(what + "-1", 1, what);
    CHECK(one == weights(what + "-1-again", 1, what));
    CHECK(one != weights(what + "-2", 2, what));
  }
  CHECK(weights("nothing-1", 1, "nothing") == weights("nothing-2", 2, "nothing"));
}
