// A disk that fills up: one line, exit code 7, and the older checkpoint as good as before.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/distill/reproduce/recipes.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

/// A limit on file sizes fails a write half way, as a full disk does, and works for root.
void allow_files_of(rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

}  // namespace

TEST_CASE("full disk: the checkpoint cannot be written, the one before stays and the run continues from it") {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", out = folder / "run";
  run(small_run("teach", whole));
  RunOptions o = small_run("teach", out);
  o.max_steps = 6;
  run(o);
  const std::string last = contents(out + "/last.safetensors"), best = contents(out + "/best.safetensors");
  const Finished full = retort_program({"teach", "--resume", "--out", out}, [] { allow_files_of(20'000); });
  check_refused(full, 7, {"cannot write " + out + "/", ".safetensors", "File too large"});
  CHECK(contents(out + "/last.safetensors") == last);
  CHECK(contents(out + "/best.safetensors") == best);
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    CHECK_MESSAGE(entry.path().extension() != ".tmp", entry.path().string() << " was left behind");
  }
  check_done(retort_program({"teach", "--resume", "--out", out}));
  check_same_run(whole, out);
}

TEST_CASE("full disk: a new run that cannot write its first file says so") {
  const TemporaryFolder folder;
  check_refused(retort_program({"teach", "--data", "synthetic:train=20,test=10", "--net", "lenet5-half", "--epochs",
                                "1", "--out", folder / "run"},
                               [] { allow_files_of(400); }),
                7, {"cannot write " + folder.path() + "/run/config.toml"});
  put_text(folder / "file", "in the way");
  check_refused(retort_program({"teach", "--data", "synthetic:train=20,test=10", "--net", "lenet5-half", "--out",
                                folder / "file/run"}),
                7, {folder / "file/run"});
}

TEST_CASE("full disk: a real one, where a file system can be mounted") {
  const TemporaryFolder folder;
  const std::string out = folder / "disk/run", kept = folder / "kept.safetensors";
  std::filesystem::create_directories(folder / "disk");
  // The mount exists in a namespace of the child and vanishes with it, so a shell there looks at what is left.
  const std::string script = std::string(RETORT_PROGRAM) +
                             " teach --data synthetic:train=50,test=20,classes=4 --net lenet5 --threads 1 --batch 16"
                             " --epochs 3 --out " +
                             out + "; code=$?; cp " + out + "/last.safetensors " + kept + "; exit $code";
  const std::string disk = folder / "disk";
  const auto mount_and_run = [&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", disk.c_str(), "tmpfs", 0, "size=1200k") != 0) {
      ::_exit(99);
    }
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
  };
  const Finished full = retort_program({}, mount_and_run);
  if (full.code == 99) {
    MESSAGE("no file system can be mounted here: skipped (a limit on file sizes stands in above)");
    return;
  }
  check_refused(full, 7, {"cannot write " + out + "/", "No space left on device"});
  REQUIRE(std::filesystem::exists(kept));
  CHECK(!weights_of(kept).empty());
}

TEST_CASE("full disk: a reproduction stops at the run that cannot write, and goes on there") {
  const TemporaryFolder folder;
  put_text(folder / "tiny.toml", tiny_recipe());
  const auto reproduction = [&](const std::string& out, const std::function<void()>& before = {}) {
    return retort_program({"reproduce", folder / "tiny.toml", "--seeds", "1", "--methods", "student,kd", "--threads",
                           "1", "--out", folder / out},
                          before);
  };
  check_done(reproduction("whole"));
  const Finished full = reproduction("runs", [] { allow_files_of(20'000); });
  check_refused(full, 7, {"cannot write " + folder.path() + "/runs/", "the same command goes on"});
  CHECK(!contains(full.out, "once more"));
  CHECK(!std::filesystem::exists(folder / "runs/table.md"));
  check_done(reproduction("runs"));
  for (const char* run : {"/lenet5/seed-1/teacher", "/lenet5--lenet5-half/seed-1/kd"}) {
    check_same_run(folder / "whole" + run, folder / "runs" + run);
  }
  put_text(folder / "file", "in the way");
  check_refused(reproduction("file/runs"), 7, {folder / "file/runs"});
}

TEST_CASE("full disk: an answer that cannot be printed is no success") {
  if (::access("/dev/full", W_OK) != 0) {
    MESSAGE("no /dev/full here: skipped");
    return;
  }
  const Finished finished = retort_program({"info", "--json"}, [] {
    const int full = ::open("/dev/full", O_WRONLY);
    ::dup2(full, 1);
  });
  check_refused(finished, 7, {"standard output"});
}
