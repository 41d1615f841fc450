// A checkpoint that does not fit ends with exit code 3 and one line that names the file and the tensor.
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

const std::string data = "synthetic:train=50,test=20,classes=4";

struct Fixture {
  TemporaryFolder folder;
  std::string good = folder / "run/last.safetensors", bad = folder / "bad.safetensors";
  TensorFile file;
  Fixture() {
    RunOptions o = small_run("teach", folder / "run");
    o.regulation = "mask";
    run(o);
    file = read_safetensors(good);
  }
  /// Every command that takes a checkpoint refuses `bad` in the same words.
  void check_all_refuse(const std::vector<std::string>& parts) const {
    std::vector<std::string> all = parts;
    all.push_back(bad);
    check_refused(retort_program({"evaluate", "--checkpoint", bad, "--data", data}), 3, all);
    check_refused(retort_program({"distill", "--teacher", bad, "--data", data, "--out", folder / "student"}), 3, all);
    check_refused(retort_program({"teach", "--init", bad, "--data", data, "--net", "lenet5-half", "--out", folder / "new"}),
                  3, all);
  }
  void check_all_refuse(const TensorFile& changed, const std::vector<std::string>& parts) const {
    write_safetensors(bad, changed);
    check_all_refuse(parts);
  }
};

}  // namespace

TEST_CASE("checkpoint: tensors that are missing, of another shape, or unknown") {
  const Fixture f;
  const std::string name = f.file.tensors.lower_bound("f")->first;  // some parameter
  REQUIRE(name.rfind("retort/", 0) != 0);
  TensorFile changed = f.file;
  changed.tensors.erase(name);
  f.check_all_refuse(changed, {"does not fit lenet5-half", "no tensor '" + name + "'"});
  changed = f.file;
  changed.tensors[name] = FileTensor::of(std::vector<float>{1, 2, 3}, {3});
  f.check_all_refuse(changed, {"'" + name + "' has shape [3], not ["});
  changed = f.file;
  changed.tensors["layer9.weight"] = FileTensor::of(std::vector<float>{1}, {1});
  f.check_all_refuse(changed, {"not of this network: 'layer9.weight'"});
  changed = f.file;
  changed.metadata["retort_schema"] = "2";
  f.check_all_refuse(changed, {"newer version"});
}

TEST_CASE("checkpoint: cut short, empty, not there, something else") {
  const Fixture f;
  const std::string bytes = contents(f.good);
  for (const std::size_t kept : {std::size_t{0}, std::size_t{5}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    CAPTURE(kept);
    put_text(f.bad, bytes.substr(0, kept));
    f.check_all_refuse({});
  }
  put_text(f.bad, "PK\3\4 a zip file that calls itself safetensors, long enough to have a header");
  f.check_all_refuse({});
  std::filesystem::remove(f.bad);
  f.check_all_refuse({});
}

TEST_CASE("checkpoint: made for other images or other classes") {
  const Fixture f;
  const std::string seven = "synthetic:train=50,test=20,classes=7";
  check_refused(retort_program({"evaluate", "--checkpoint", f.good, "--data", seven}), 3, {f.good, "4 classes", "has 7"});
  check_refused(retort_program({"distill", "--teacher", f.folder / "run", "--data", seven, "--out", f.folder / "s"}), 3,
                {f.good, "4 classes", "has 7"});
  TensorFile grey = f.file;
  grey.metadata["input"] = "28x28x1";
  write_safetensors(f.bad, grey);
  check_refused(retort_program({"evaluate", "--checkpoint", f.bad, "--data", data}), 3, {f.bad, "28x28x1", "32x32x3"});
}

TEST_CASE("checkpoint: a file from elsewhere needs --net and then works") {
  const Fixture f;
  TensorFile plain;
  for (const auto& [name, tensor] : f.file.tensors) {
    if (name.rfind("retort/", 0) != 0) plain.tensors[name] = tensor;
  }
  write_safetensors(f.bad, plain);
  check_refused(retort_program({"evaluate", "--checkpoint", f.bad, "--data", data}), 3, {f.bad, "which network"});
  const Finished named = check_done(retort_program({"evaluate", "--checkpoint", f.bad, "--data", data, "--net", "lenet5-half", "--json"}));
  const Finished ours = check_done(retort_program({"evaluate", "--checkpoint", f.good, "--data", data, "--json"}));
  CHECK(named.out == ours.out);
}

TEST_CASE("checkpoint: a teacher without significance, or with a damaged one") {
  const Fixture f;
  const auto distill = [&](const TensorFile& teacher, const std::vector<std::string>& more = {}) {
    write_safetensors(f.bad, teacher);
    std::vector<std::string> arguments = {"distill", "--method",    "significance", "--teacher",       f.bad,
                                          "--data",  data,          "--net",        "lenet5-half", "--epochs",
                                          "1",       "--threads",   "1",            "--out",       f.folder / "student"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return retort_program(arguments);
  };
  TensorFile changed = f.file;
  changed.tensors.erase("retort/significance");
  check_refused(distill(changed), 3, {f.bad, "no significance", "--regulation mask", "--significance"});
  changed = f.file;
  changed.tensors.erase("retort/significance_index");
  check_refused(distill(changed), 3, {f.bad, "significance"});
  changed = f.file;
  changed.tensors["retort/significance"] = FileTensor::of(std::vector<std::int32_t>{1, 2}, {2});
  check_refused(distill(changed), 3, {f.bad, "damaged"});
  changed = f.file;
  changed.tensors["retort/significance"] = FileTensor::of(std::vector<std::int32_t>(50, 0), {50});
  check_refused(distill(changed), 3, {"no training sample has a positive"});
  // A CSV in place of the teacher's own counts.
  put_text(f.folder / "s.csv", "index,label,count\n0,0,zero\n");
  check_refused(distill(f.file, {"--significance", f.folder / "s.csv"}), 3, {f.folder / "s.csv:2"});
}
