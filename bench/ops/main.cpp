// retort_bench: every kernel family at the sizes of real networks, each against the floor of the machine it runs on.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <vector>

#include "bench/ops/suite.h"
#include "kernels/error.h"

namespace {

using namespace retort;
using bench::Backend;
using bench::Sizes;

struct Arguments {
  std::string device = "auto", sizes = "networks";
  int threads = 0, flush_mib = 256;
};

void print_help() {
  std::printf(
      "retort_bench [--device auto|cpu|cuda] [--sizes networks|cases|large|all] [--threads N] [--flush-mib N]\n"
      "  Benchmarks are named family/pass/shape/dtype.\n"
      "  --sizes networks: layers of real networks; cases: the small cases of the tests; large: operands that no "
      "cache\n"
      "  holds, of 256 MiB and more, which are among the networks' on a GPU.\n"
      "  time: a launch after many of the same, so that operands are warm as far as the cache goes. On a GPU by "
      "events,\n"
      "  with the queue filled before, so that the host's part is left out.\n"
      "  floor_us: the larger of bytes moved / copy bandwidth and FLOPs / matrix rate, both measured at the start "
      "(bf16:\n"
      "  cuBLASLt). Bytes are counted once an operand.\n"
      "  share: floor / time. Over 1 where operands stay in a cache, or an algorithm saves multiplications.\n"
      "  cold_us, share_cold: the same with operands in memory, on a GPU only: between launches --flush-mib MiB are "
      "read,\n"
      "  which has to be several times the L2 cache. A processor's last-level cache is shared with others, who empty "
      "it\n"
      "  when they like; there --sizes large tells what memory alone gives.\n"
      "  passes: bytes that the kernel's algorithm moves / the least it could, where that is counted\n"
      "  (tests/simt/traffic_test.cpp). share_moved: those bytes / copy bandwidth / time, cold where that was "
      "measured:\n"
      "  how near the kernel is to what its algorithm allows, as share_cold is to what any would.\n"
      "  The warning that the library is a DEBUG build is about Google Benchmark as Debian packages it, not the "
      "kernels.\n\n");
  benchmark::PrintDefaultHelp();
}

const Backend& backend_of(const std::string& device) {
  const Backend* chosen = nullptr;
  for (const Backend* backend : test::backends()) {
    // auto: the last one that works, for the CPU comes first
    if ((device == "auto" || device == backend->name) && backend->available()) chosen = backend;
  }
  RETORT_CHECK_AS(ErrorKind::device, chosen != nullptr, "device '", device, "' is not available here");
  return *chosen;
}

std::string billions(double value, const char* unit) {
  char line[64];
  std::snprintf(line, sizeof line, "%.1f %s", value * 1e-9, unit);
  return line;
}

void describe(const Backend& backend, const bench::Floors& floors) {
  benchmark::AddCustomContext("device", backend.name);
  if (backend.device == Device::cpu) {
    benchmark::AddCustomContext("threads", std::to_string(cpu::threads()));
    benchmark::AddCustomContext("instruction_set", cpu::instruction_set());
  }
  benchmark::AddCustomContext("copy_bandwidth", billions(floors.copied_bytes, "GB/s, read and written"));
  benchmark::AddCustomContext("matrix_rate_f32", billions(floors.f32_flops, "GFLOP/s"));
  if (floors.tf32_flops > 0) benchmark::AddCustomContext("matrix_rate_tf32", billions(floors.tf32_flops, "GFLOP/s"));
  benchmark::AddCustomContext("matrix_rate_bf16",
                              floors.bf16_flops > 0 ? billions(floors.bf16_flops, "GFLOP/s") : "not native");
}

void run(const Arguments& a) {
  const Backend& backend = backend_of(a.device);
  if (a.threads > 0) RETORT_CHECK(backend.set_threads != nullptr, "--threads is for the CPU");
  if (a.threads > 0) backend.set_threads(a.threads);
  const bench::Floors floors = bench::measure_floors(backend);
  describe(backend, floors);
  const auto timer = bench::DeviceTimer::of(backend, static_cast<std::size_t>(a.flush_mib) << 20);
  const Sizes sizes = a.sizes == "networks" ? Sizes::networks
                      : a.sizes == "cases"  ? Sizes::cases
                      : a.sizes == "large"  ? Sizes::large
                                            : Sizes::all;
  bench::Suite suite(backend, floors, sizes, timer.get());
  bench::add_convolution(suite);
  bench::add_linear(suite);
  bench::add_batch_norm(suite);
  bench::add_pooling(suite);
  bench::add_elementwise(suite);
  bench::add_regulation(suite);
  bench::add_distillation_loss(suite);
  bench::add_squared_loss(suite);
  bench::add_optimizer(suite);
  bench::add_commit(suite);
  bench::add_augmentation(suite);
  bench::add_learned_augmentation(suite);
  bench::add_queue(suite);
  bench::add_launch(suite);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

}  // namespace

int main(int argc, char** argv) {
  // Defaults that the command line comes after: half a second for each benchmark would be minutes in all.
  std::string short_time = "--benchmark_min_time=0.1", tabular = "--benchmark_counters_tabular=true";
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, {short_time.data(), tabular.data()});
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data(), print_help);

  CLI::App app("Kernel benchmarks");
  app.set_help_flag();
  Arguments a;
  app.add_option("--device", a.device)->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  app.add_option("--sizes", a.sizes)->check(CLI::IsMember({"networks", "cases", "large", "all"}));
  app.add_option("--threads", a.threads)->check(CLI::PositiveNumber);
  app.add_option("--flush-mib", a.flush_mib)->check(CLI::Range(1, 16384));
  CLI11_PARSE(app, count, arguments.data());
  try {
    run(a);
  } catch (const Error& error) {
    std::fprintf(stderr, "retort_bench: %s\n", error.what());
    return error.exit_code();
  }
  return 0;
}
