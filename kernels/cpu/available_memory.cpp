// How much memory this process could still fill. Linux hands out addresses without memory behind them, so an
// allocation that succeeds proves nothing; asking first turns a killed process into a clear message.
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>

#include "kernels/memory.h"

namespace retort::cpu {
namespace {

constexpr std::size_t kUnknown = std::numeric_limits<std::size_t>::max();

std::size_t first_number(const char* path) {
  std::ifstream file(path);
  std::size_t value = 0;
  return file >> value ? value : kUnknown;  // "max" and a missing file alike
}

/// The value in bytes of a line "Name:   123 kB" of /proc/meminfo or /proc/self/status.
std::size_t kilobytes(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    std::size_t value = 0;
    if (word == name) return file >> value ? value * 1024 : kUnknown;
  }
  return kUnknown;
}

std::size_t left(std::size_t limit, std::size_t used) {
  if (limit == kUnknown || used == kUnknown) return kUnknown;
  return limit > used ? limit - used : 0;
}

}  // namespace

std::size_t available_memory() {
  const std::size_t system = kilobytes("/proc/meminfo", "MemAvailable:");
  const std::size_t group = std::min(
      left(first_number("/sys/fs/cgroup/memory.max"), first_number("/sys/fs/cgroup/memory.current")),
      left(first_number("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
           first_number("/sys/fs/cgroup/memory/memory.usage_in_bytes")));
  std::size_t process = kUnknown;
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    process = left(limit.rlim_cur, kilobytes("/proc/self/status", "VmSize:"));
  }
  return std::min({system, group, process});
}

}  // namespace retort::cpu
