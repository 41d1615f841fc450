// retort_lab [family...]: times every version of the lab's kernels on the GPU, beside the copy bandwidth that they
// cannot beat.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/lab/timing.h"
#include "kernels/device_info.h"
#include "kernels/error.h"
#include "kernels/memory.h"

namespace {

using namespace retort;

struct Family {
  const char* name;
  void (*time)(const lab::Timer& timer);
};
constexpr Family families[] = {
    {"kd_loss", &lab::time_kd_loss},
    {"batch_norm", &lab::time_batch_norm},
    {"augment", &lab::time_augment},
    {"convolution", &lab::time_convolution},
};

double copy_bandwidth() {
  constexpr std::size_t bytes = std::size_t{1} << 30;
  const lab::Block from(bytes), to(bytes);
  const auto copy = [&] { cuda::copy_bytes({}, to.as<void>(), from.as<void>(), bytes); };
  return 2.0 * bytes / lab::Timer().seconds_of(copy);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> wanted(argv + 1, argv + argc);
  const auto is_family = [](const std::string& name) {
    return std::any_of(std::begin(families), std::end(families), [&](const Family& f) { return name == f.name; });
  };
  try {
    for (const std::string& name : wanted) RETORT_CHECK(is_family(name), "the lab has no family '", name, "'");
    const DeviceInfo device = cuda::device_info();
    const lab::Timer timer{copy_bandwidth()};
    std::printf("%s, copies move %.0f GB/s\n", device.identity().c_str(), 1e-9 * timer.bandwidth);
    for (const Family& family : families) {
      if (wanted.empty() || std::count(wanted.begin(), wanted.end(), family.name) > 0) family.time(timer);
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "retort_lab: %s\n", error.what());
    return error.exit_code();
  }
}
