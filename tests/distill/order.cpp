// --init and --shuffle off: the data in its order, from given parameters. What a person needs to check a run by hand.
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("order: with shuffle off the first steps see the first samples and nothing else") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "start");
  o.max_steps = 1;
  run(o);
  const std::string start = folder / "start";
  const auto steps = [&](const std::string& out, const std::string& shuffle, int limit, std::int64_t count) {
    RunOptions n = small_run("distill", folder / out);
    n.teacher = start;
    n.init = start;
    n.seed = 7;  // plays no part
    n.augment = "none";
    n.cache_teacher = "off";  // a cache is filled in batches of another size, which may round differently
    n.shuffle = shuffle;
    n.limit = limit;
    n.max_steps = count;
    run(n);
    return weights_of(folder / out + "/last.safetensors");
  };
  const auto all = steps("all", "off", 0, 2);
  CHECK(all == steps("first", "off", 32, 2));
  CHECK(all == steps("more", "off", 40, 2));
  CHECK(all != steps("shuffled", "on", 0, 2));
  CHECK(all != steps("one", "off", 0, 1));
  CHECK(all != weights_of(start + "/last.safetensors"));
}

TEST_CASE("order: --init takes parameters and statistics, and no other state of that run") {
  const TemporaryFolder folder;
  RunOptions o = small_run("teach", folder / "start");
  o.net = "resnet8";
  o.data = "synthetic:train=20,test=10,classes=4";
  o.regulation = "mask";
  o.epochs = 1;
  run(o);
  o.init = folder / "start";
  o.out = folder / "next";
  o.lr = 0;
  o.weight_decay = 0;
  o.max_steps = 1;
  run(o);
  const auto before = weights_of(folder / "start/last.safetensors"), after = weights_of(folder / "next/last.safetensors");
  CHECK(before.at("conv1.weight") == after.at("conv1.weight"));
  CHECK(before.at("bn1.running_mean") != after.at("bn1.running_mean"));
  for (const std::int64_t count : integers_of(folder / "next", "retort/counts")) CHECK(count <= 1);
}
