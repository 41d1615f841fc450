#include "bench/ops/suite.h"

#include <sstream>

namespace retort::bench {
namespace {

const char* name_of(DType dtype) {
  static constexpr const char* names[] = {"f32", "bf16", "i32", "u8"};
  return names[static_cast<int>(dtype)];
}

std::string shape_of(const std::string& id) {
  std::istringstream words(id);
  std::string shape;
  for (std::string word; words >> word;) {
    if (word == "f32" || word == "bf16") continue;
    shape += (shape.empty() ? "" : "-") + word;
  }
  return shape;
}

}  // namespace

void Suite::add(const std::string& family, const std::string& pass, const std::string& id, DType dtype,
                const std::function<void(Run&)>& body) {
  const std::string name = family + "/" + pass + "/" + shape_of(id) + "/" + name_of(dtype);
  if (!names_.insert(name).second) return;
  // Copies, because the library keeps the function for longer than the suite lives.
  const auto run = [body, &backend = backend_, floors = floors_, timer = timer_](benchmark::State& state) {
    try {
      Run one(state, backend, floors, timer);
      body(one);
    } catch (const Error& error) {
      state.SkipWithError(error.what());
    }
  };
  auto* registered = benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
  if (timer_ != nullptr) {
    registered->UseManualTime();
  } else {
    registered->UseRealTime();
  }
}

void Suite::add_timed(const std::string& family, const std::string& pass, const std::string& id,
                      const std::function<double()>& body) {
  if (backend_.device == Device::cpu || !takes(Sizes::networks)) return;
  const auto run = [body](benchmark::State& state) {
    try {
      while (state.KeepRunning()) state.SetIterationTime(body());
    } catch (const Error& error) {
      state.SkipWithError(error.what());
    }
  };
  benchmark::RegisterBenchmark((family + "/" + pass + "/" + shape_of(id)).c_str(), run)
      ->Unit(benchmark::kMicrosecond)
      ->Iterations(5)
      ->UseManualTime();
}

}  // namespace retort::bench
