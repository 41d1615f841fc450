// Learning from mixtures: what is counted, who participates, and that a run can be stopped and repeated.
#include "kernels/error.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

RunOptions student_run(const TemporaryFolder& folder, const std::string& name) {
  if (!std::filesystem::exists(folder / "teacher")) run(small_run("teach", folder / "teacher"));
  RunOptions o = small_run("distill", folder / name);
  o.teacher = folder / "teacher";
  o.augment = "none";
  o.method = "xcl";
  return o;
}

}  // namespace

TEST_CASE("mixtures: xcl mixes every sample unless told otherwise, and counts them") {
  const TemporaryFolder folder;
  RunOptions o = student_run(folder, "all");
  const Ledger all = run(o).result.ledger;
  CHECK(all.student_forward == 100);
  CHECK(all.mixtures == 100);
  CHECK(all.teacher_forward == 100);  // nothing can be cached
  CHECK(contains(contents(o.out + "/config.toml"), "mix = \"either\""));
  o = student_run(folder, "half");
  o.mix_share = 0.5;
  const Ledger half = run(o).result.ledger;
  CHECK(half.mixtures > 25);
  CHECK(half.mixtures < 75);
  o = student_run(folder, "none");
  o.method = "kd";
  const Ledger none = run(o).result.ledger;
  CHECK(none.mixtures == 0);
  CHECK(none.teacher_forward == 50);  // cached
  o = student_run(folder, "kd-mixed");
  o.method = "kd";
  o.mix = "cutmix";
  CHECK(run(o).result.ledger.mixtures == 100);
}

TEST_CASE("mixtures: without any, xcl is kd") {
  const TemporaryFolder folder;
  RunOptions mixed = student_run(folder, "share-0"), plain = student_run(folder, "plain");
  mixed.mix_share = 0;
  plain.method = "kd";
  plain.cache_teacher = "off";
  run(mixed);
  run(plain);
  CHECK(weights_of(mixed.out + "/last.safetensors") == weights_of(plain.out + "/last.safetensors"));
}

TEST_CASE("mixtures: the same run again, and one that is stopped and continued") {
  const TemporaryFolder folder;
  for (const std::string regulation : {"off", "mask", "compact"}) {
    CAPTURE(regulation);
    const auto options = [&](const std::string& name) {
      RunOptions o = student_run(folder, name + regulation);
      o.mix = "either";
      o.mix_share = 0.7;
      o.mix_beta = 3;
      o.regulation = regulation;
      if (regulation == "compact") o.scoring = "training";
      o.epochs = 3;
      return o;
    };
    const RunOptions whole = options("whole");
    run(whole);
    RunOptions stopped = options("stopped");
    stopped.max_steps = 6;
    run(stopped);
    stopped.max_steps = 0;
    run(stopped, true);
    check_same_run(whole.out, stopped.out);
  }
}

TEST_CASE("mixtures: regulated by the student's own uncertainty") {
  const TemporaryFolder folder;
  RunOptions o = student_run(folder, "sure");
  o.regulation = "mask";
  o.confidence = 0;  // nobody is below it, and a mixture cannot be wrong
  CHECK(run(o).result.ledger.student_backward == 0);
  o = student_run(folder, "unsure");
  o.regulation = "mask";
  o.confidence = 1.01;
  CHECK(run(o).result.ledger.student_backward == 100);
}

TEST_CASE("mixtures: what cannot be") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::function<void(RunOptions&)>& change, const std::string& word) {
    RunOptions o = small_run("distill", folder / "never");
    o.teacher = "somewhere";
    o.method = "xcl";
    change(o);
    const Failure failure = failure_of([&] { resolve(o); });
    CHECK(failure.kind == ErrorKind::usage);
    CHECK_MESSAGE(failure.says(word), failure.message);
  };
  refused([](RunOptions& o) { o.mix = "none"; }, "--method xcl needs --mix");
  refused([](RunOptions& o) { o.mix = "stir"; }, "--mix stir");
  refused([](RunOptions& o) { o.mix_share = 1.5; }, "--mix-share");
  refused([](RunOptions& o) { o.mix_beta = 9; }, "--mix-beta");
  refused([](RunOptions& o) { o.augment = "none", o.cache_teacher = "on"; }, "--cache-teacher on needs --mix none");
  refused([](RunOptions& o) { o.command = "teach", o.mix = "mixup"; }, "no label");
  refused([](RunOptions& o) { o.method = "significance", o.mix = "mixup"; }, "hold the others too");
}
