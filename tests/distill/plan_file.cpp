#include "distill/plan_file.h"

#include <cstdlib>

#include "distill/plan_cache.h"
#include "tests/distill/runs.h"

using namespace retort;
using namespace retort::test;

namespace {

PlanChoice choice(int batch, ConvolutionPass pass, Precision precision, const std::string& plan) {
  PlanChoice made;
  made.problem = {{batch, 32, 31, 16, 64, 3, 1, 2, 1}, pass, precision};
  if (precision == Precision::bf16) made.problem.shape.dtype = DType::bf16;
  made.plan = plan;
  made.seconds = 12.345e-6;
  made.favourite_seconds = 0.5;
  return made;
}

PlanRules fast() {
  PlanRules rules;
  rules.deterministic = false;
  return rules;
}

DeviceInfo device(const std::string& name) {
  DeviceInfo info;
  info.name = name;
  info.cudnn = "9.19.0";
  return info;
}

PlanFile example() {
  PlanFile file = PlanFile::of(device("GPU \"X\" 1"));
  for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16}) {
    for (const ConvolutionPass pass : convolution_passes) {
      file.put({}, choice(128, pass, precision, "eng67_k2=16"));
      file.put(fast(), choice(128, pass, precision, "eng4"));
    }
  }
  return file;
}

/// While it lives, the cache is in this folder.
struct CacheIn {
  explicit CacheIn(const std::string& folder) : before(std::getenv("RETORT_CACHE_DIR")) {
    setenv("RETORT_CACHE_DIR", folder.c_str(), 1);
  }
  ~CacheIn() { setenv("RETORT_CACHE_DIR", before.c_str(), 1); }
  std::string before;
};

struct Lines {
  std::vector<std::string> all;
  LineSink sink() {
    return [this](const std::string& line) { all.push_back(line); };
  }
};

}  // namespace

TEST_CASE("plan file: what is written is read") {
  const PlanFile file = example();
  const PlanFile back = plan_file_of(to_json(file), "plans.json");
  CHECK(to_json(back) == to_json(file));
  CHECK(back.fits(device("GPU \"X\" 1")));
  CHECK_FALSE(back.fits(device("GPU \"X\" 2")));
  REQUIRE(back.choices({}).size() == 9);
  REQUIRE(back.choices(fast()).size() == 9);
  for (std::size_t i = 0; i < 9; ++i) {
    const PlanChoice found = back.choices({})[i], written = file.choices({})[i];
    CHECK(found.problem == written.problem);
    CHECK(found.plan == "eng67_k2=16");
    CHECK(found.seconds == doctest::Approx(12.345e-6));
    CHECK(found.favourite_seconds == doctest::Approx(0.5));
  }
  CHECK(plan_file_of(to_json(PlanFile::of(device("Y"))), "plans.json").entries.empty());
}

TEST_CASE("plan file: a later choice takes the place of an earlier one for the same convolution and rules") {
  PlanFile file = example();
  const std::size_t before = file.entries.size();
  file.put({}, choice(128, ConvolutionPass::forward, Precision::fp32, "eng1"));
  CHECK(file.entries.size() == before);
  CHECK(file.choices({}).front().plan == "eng1");
  CHECK(file.choices(fast()).front().plan == "eng4");
  file.put({}, choice(127, ConvolutionPass::forward, Precision::fp32, "eng1"));
  CHECK(file.entries.size() == before + 1);
}

TEST_CASE("plan file: what is damaged is refused by name") {
  const std::string good = to_json(example());
  for (const auto& [part, instead] :
       std::vector<std::pair<std::string, std::string>>{{good, ""},
                                                        {good, "[]"},
                                                        {good, "{}"},
                                                        {"\"format\":1", "\"format\":2"},
                                                        {"\"format\":1", "\"format\":null"},
                                                        {"\"cudnn\":\"9.19.0\"", "\"cudnn\":9"},
                                                        {"\"plans\"", "\"plan\""},
                                                        {"\"pass\":\"forward\"", "\"pass\":\"sideways\""},
                                                        {"\"precision\":\"fp32\"", "\"precision\":\"fp8\""},
                                                        {"\"deterministic\":true", "\"deterministic\":\"yes\""},
                                                        {"\"input\":[128,32,31,16]", "\"input\":[128,32,31]"},
                                                        {"\"stride\":2", "\"stride\":\"two\""},
                                                        {"\"plan\":\"eng67_k2=16\"", "\"plan\":67"},
                                                        {"\"us\":", "\"ms\":"}}) {
    CAPTURE(instead);
    std::string bad = good;
    REQUIRE(bad.find(part) != std::string::npos);
    bad.replace(bad.find(part), part.size(), instead);
    const Failure failure = failure_of([&] { plan_file_of(bad, "my/plans.json"); });
    CAPTURE(failure.message);
    CHECK(failure.blames("my/plans.json: "));
  }
  for (std::size_t bytes = 0; bytes + 1 < good.size(); bytes += 97) {
    CHECK(failure_of([&] { plan_file_of(good.substr(0, bytes), "p"); }).blames("p: "));
  }
}

TEST_CASE("plan cache: runs add to it, a device and version has its own") {
  const TemporaryFolder folder;
  const CacheIn here(folder / "a/b");
  Lines said;
  const PlanCache cache(device("GPU \"X\" 1"));
  CHECK(cache.path() == folder / "a/b/plans-GPU--X--1-9.19.0.json");
  CHECK(cache.read(said.sink()).entries.empty());
  cache.add({{{}, choice(1, ConvolutionPass::forward, Precision::fp32, "eng1")}}, said.sink());
  cache.add({{fast(), choice(1, ConvolutionPass::forward, Precision::fp32, "eng2")},
             {{}, choice(2, ConvolutionPass::forward, Precision::fp32, "eng3")}},
            said.sink());
  const PlanFile found = cache.read(said.sink());
  CHECK(found.entries.size() == 3);
  CHECK(found.choices(fast()).at(0).plan == "eng2");
  CHECK(PlanCache(device("another")).read(said.sink()).entries.empty());
  CHECK(said.all.empty());
}

TEST_CASE("plan cache: what cannot be used is ignored with a line, and written anew") {
  const TemporaryFolder folder;
  const CacheIn here(folder.path());
  const PlanCache cache(device("X"));
  for (const std::string& content : {std::string("{"), to_json(PlanFile::of(device("Y")))}) {
    CAPTURE(content);
    put_text(cache.path(), content);
    Lines said;
    CHECK(cache.read(said.sink()).entries.empty());
    REQUIRE(said.all.size() == 1);
    CHECK(contains(said.all[0], cache.path()));
    CHECK(contains(said.all[0], "; ignored"));
    cache.add({{{}, choice(1, ConvolutionPass::forward, Precision::fp32, "eng1")}}, said.sink());
    CHECK(cache.read(said.sink()).entries.size() == 1);
    CHECK(said.all.size() == 1);
  }
}

TEST_CASE("plan cache: where it cannot be written, runs do without") {
  const TemporaryFolder folder;
  put_text(folder / "file", "not a folder");
  const CacheIn here(folder / "file/cache");
  Lines said;
  const PlanCache cache(device("X"));
  CHECK(cache.read(said.sink()).entries.empty());
  cache.add({{{}, choice(1, ConvolutionPass::forward, Precision::fp32, "eng1")}}, said.sink());
  REQUIRE(said.all.size() == 1);
  CHECK(contains(said.all[0], "decided anew by the next run"));
}
