// Data that is missing or damaged ends every command with exit code 3 and one line that names the file.
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

TEST_CASE("bad data: missing, cut short, a label out of range") {
  const TemporaryFolder folder;
  const std::string dir = folder / "data", spec = "cifar10:" + dir;
  const auto all_refuse = [&](const std::vector<std::string>& parts) {
    check_refused(retort_program({"teach", "--data", spec, "--net", "lenet5-half", "--out", folder / "run"}), 3, parts);
    check_refused(retort_program({"data", "check", spec}), 3, parts);
    check_refused(retort_program({"evaluate", "--checkpoint", "x", "--data", spec}), 3, parts);
  };
  all_refuse({dir});
  check_done(retort_program({"data", "synth", "--out", dir, "--train", "50", "--test", "10"}));
  const std::string file = dir + "/test_batch.bin", good = contents(file);
  REQUIRE(!good.empty());
  put_text(file, good.substr(0, good.size() - 1));
  all_refuse({file});
  std::string bad = good;
  bad[0] = 10;
  put_text(file, bad);
  all_refuse({file, "label 10"});
  std::filesystem::remove(file);
  all_refuse({"test_batch.bin"});
}
