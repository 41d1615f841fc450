// What --resume makes of a run folder that has come to harm.
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

/// Two epochs of four batches, with a checkpoint every two.
RunOptions saving_run(const std::string& out) {
  RunOptions o = small_run("teach", out);
  o.regulation = "mask";
  o.confidence = 0.5;
  o.schedule = "cosine";
  o.save_every_steps = 2;
  return o;
}

Finished resume(const std::string& folder) { return retort_program({"teach", "--resume", "--out", folder}); }

void cut(const std::string& path) { put_text(path, contents(path).substr(0, contents(path).size() - 9)); }

}  // namespace

TEST_CASE("damaged run: the checkpoint before the last one takes over and says so") {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", hurt = folder / "hurt";
  run(saving_run(whole));
  for (const int stop : {3, 4, 6, 8}) {
    CAPTURE(stop);
    std::filesystem::remove_all(hurt);
    RunOptions o = saving_run(hurt);
    o.max_steps = stop;
    run(o);
    cut(hurt + "/last.safetensors");
    const Finished finished = resume(hurt);
    CHECK(finished.code == 0);
    CHECK(contains(finished.err, hurt + "/last.safetensors"));
    CHECK(contains(finished.err, "trying the checkpoint before it"));
    CHECK(contains(finished.out, "resumed from " + hurt + "/previous.safetensors"));
    check_same_run(whole, hurt);
  }
}

TEST_CASE("damaged run: a kill while continuing from the earlier checkpoint leaves a good one") {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", hurt = folder / "hurt";
  run(saving_run(whole));
  RunOptions o = saving_run(hurt);
  o.max_steps = 5;
  run(o);
  cut(hurt + "/last.safetensors");
  Finished finished = retort_program({"teach", "--resume", "--out", hurt, "--max-steps", "6"});
  CHECK(finished.code == 0);
  // The first checkpoint after the damage must not have replaced the good one by the damaged one.
  cut(hurt + "/last.safetensors");
  finished = resume(hurt);
  CHECK(finished.code == 0);
  check_same_run(whole, hurt);
}

TEST_CASE("damaged run: without an earlier checkpoint it is refused") {
  const TemporaryFolder folder;
  const std::string hurt = folder / "hurt";
  run(saving_run(hurt));
  cut(hurt + "/last.safetensors");
  cut(hurt + "/previous.safetensors");
  Finished finished = resume(hurt);
  CHECK(finished.code == 3);
  std::filesystem::remove(hurt + "/previous.safetensors");
  finished = resume(hurt);
  CHECK(finished.code == 3);
  CHECK(contains(finished.err, "last.safetensors"));
}

TEST_CASE("damaged run: a checkpoint whose content does not fit the run is refused by tensor and file") {
  const TemporaryFolder folder;
  const std::string hurt = folder / "hurt", last = hurt + "/last.safetensors";
  RunOptions o = saving_run(hurt);
  o.max_steps = 3;
  run(o);
  const TensorFile good = read_safetensors(last);
  const auto refused = [&](const TensorFile& changed, const std::vector<std::string>& parts) {
    write_safetensors(last, changed);
    std::vector<std::string> all = parts;
    all.push_back(hurt);
    check_refused(resume(hurt), 3, all);
  };
  const std::string parameter = good.tensors.begin()->first;
  TensorFile changed = good;
  changed.tensors.erase("retort/momentum/" + parameter);
  refused(changed, {"'retort/momentum/" + parameter + "'"});
  changed = good;
  changed.tensors.erase("retort/counts");
  refused(changed, {"retort/counts"});
  changed = good;
  changed.tensors["retort/counts"] = FileTensor::of(std::vector<std::int32_t>(49, 0), {49});
  refused(changed, {"'retort/counts'", "49"});
  changed.tensors["retort/entered"] = FileTensor::of(std::vector<std::uint8_t>(49, 0), {49});
  refused(changed, {"'retort/counts'", "49"});
  changed = good;
  changed.tensors["retort/queue"] = FileTensor::of(std::vector<std::int32_t>{50}, {1});
  refused(changed, {"queue"});
  changed = good;
  changed.metadata.erase("run_state");
  refused(changed, {"not a checkpoint of a run"});
  changed = good;
  changed.metadata["run_state"] = "{\"epoch\": 0}";
  refused(changed, {"damaged run state"});
}

TEST_CASE("damaged run: another data set under the same path is refused") {
  const TemporaryFolder folder;
  const auto synth = [&](const std::string& seed) {
    check_done(retort_program({"data", "synth", "--out", folder / "data", "--train", "60", "--test", "20", "--seed", seed}));
  };
  synth("1");
  RunOptions o = small_run("teach", folder / "run");
  o.data = "cifar10:" + (folder / "data");
  o.max_steps = 3;
  run(o);
  synth("2");
  check_refused(resume(folder / "run"), 3, {folder / "run/last.safetensors", "data"});
  synth("1");
  check_done(resume(folder / "run"));
}

TEST_CASE("damaged run: half a line of metrics is trained again") {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", hurt = folder / "hurt";
  run(saving_run(whole));
  RunOptions o = saving_run(hurt);
  o.max_steps = 6;
  run(o);
  put_text(hurt + "/metrics.jsonl", contents(hurt + "/metrics.jsonl") + "{\"epoch\": 2, \"regul");
  check_done(resume(hurt));
  check_same_run(whole, hurt);
}
