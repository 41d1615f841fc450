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
  benchmark::RegisterBenchmark(name.c_str(),
                               [body, &backend = backend_, floors = floors_](benchmark::State& state) {
                                 try {
                                   Run run(state, backend, floors);
                                   body(run);
                                 } catch (const Error& error) {
                                   state.SkipWithError(error.what());
                                 }
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace retort::bench
