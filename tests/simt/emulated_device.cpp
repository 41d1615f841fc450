// A GPU that is not there: the whole CUDA backend on the host, as retort::cuda, for programs that then take
// `--device cuda` on any machine. Kernels run by the SIMT runner in one order and without the watch over every access
// (test_kernels has that), and libraries.cpp stands in for cuDNN and cuBLASLt. What this adds is the boundary: device
// memory is closed to everything but kernels and copies, so that host code which follows a device pointer ends with a
// segmentation fault.
#include <sys/mman.h>

#include <cstdlib>
#include <map>
#include <mutex>

#include "kernels/device_info.h"
#include "kernels/error.h"
#include "kernels/fused_convolution_plan.h"
#include "kernels/memory.h"
#include "kernels/timing.h"
#include "tests/simt/emulated_plans.h"
#include "tests/simt/recording.h"
#include "tests/simt/runner.h"

namespace retort::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kPage = std::size_t{2} << 20;

/// One range of addresses, of which a growing part is in use.
class DeviceMemory {
 public:
  static constexpr std::size_t kBytes = std::size_t{4} << 30;

  static DeviceMemory& instance() {
    static auto* const memory = new DeviceMemory;  // outlives static destructors that release blocks
    return *memory;
  }

  void* allocate(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t wanted = (bytes / kAlignment + 1) * kAlignment;
    for (auto block = free_.begin(); block != free_.end(); ++block) {
      if (block->second < wanted) continue;
      const std::size_t offset = block->first;
      const std::size_t rest = block->second - wanted;
      free_.erase(block);
      if (rest > 0) free_.emplace(offset + wanted, rest);
      taken_.emplace(offset, wanted);
      grow(offset + wanted);
      open();
      std::memset(base_ + offset, 0xff, wanted);  // a read of what nobody wrote gives NaN
      close();
      return base_ + offset;
    }
    fail(ErrorKind::memory, text("cannot allocate ", bytes, " bytes of device memory"));
  }

  void release(void* pointer) {
    const std::lock_guard lock(mutex_);
    const auto taken = taken_.find(static_cast<std::size_t>(static_cast<std::byte*>(pointer) - base_));
    if (taken == taken_.end()) return;
    auto block = free_.emplace(taken->first, taken->second).first;
    taken_.erase(taken);
    const auto next = std::next(block);
    if (next != free_.end() && block->first + block->second == next->first) {
      block->second += next->second;
      free_.erase(next);
    }
    if (block == free_.begin()) return;
    const auto before = std::prev(block);
    if (before->first + before->second == block->first) {
      before->second += block->second;
      free_.erase(block);
    }
  }

  /// Whether the address lies on the device.
  bool has(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    return at >= base_ && at < base_ + kBytes;
  }

  std::size_t available() {
    const std::lock_guard lock(mutex_);
    std::size_t largest = 0;
    for (const auto& [offset, bytes] : free_) largest = std::max(largest, bytes);
    return largest;
  }

  void open() {
    if (openings_++ == 0) mprotect(base_, used_, PROT_READ | PROT_WRITE);
  }
  void close() {
    if (--openings_ == 0) mprotect(base_, used_, PROT_NONE);
  }

 private:
  DeviceMemory() {
    void* range = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    RETORT_CHECK_AS(ErrorKind::memory, range != MAP_FAILED, "no addresses for the emulated device's memory");
    madvise(range, kBytes, MADV_HUGEPAGE);  // opening and closing walks the pages
    base_ = static_cast<std::byte*>(range);
    free_.emplace(0, kBytes);
    simt::set_gate([] { instance().open(); }, [] { instance().close(); });
    simt::set_orders(1);
    simt::set_watching(false);
  }

  void grow(std::size_t end) {
    if (end > used_) used_ = (end + kPage - 1) / kPage * kPage;
  }

  std::mutex mutex_;
  std::byte* base_ = nullptr;
  std::size_t used_ = 0;
  int openings_ = 0;
  std::map<std::size_t, std::size_t> free_, taken_;  // offset and bytes
};

/// While it lives, host code may touch device memory: a copy.
struct Opened {
  Opened() { DeviceMemory::instance().open(); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  ~Opened() { DeviceMemory::instance().close(); }
};

}  // namespace

void* allocate(std::size_t bytes) {
  simt::not_while_recording("allocate");
  return DeviceMemory::instance().allocate(bytes);
}
void deallocate(void* pointer) noexcept {
  if (pointer == nullptr) return;
  simt::spoil_recording("memory was released");
  DeviceMemory::instance().release(pointer);
}
std::size_t available_memory() {
  return DeviceMemory::instance().available();
}
void copy_bytes(const Launch& at, void* to, const void* from, std::size_t bytes) {
  const DeviceMemory& memory = DeviceMemory::instance();
  if (!memory.has(to) || !memory.has(from)) simt::not_while_recording("a copy of the host's memory");
  simt::submit(at.stream, "copy", [=] {
    const Opened opened;
    std::memmove(to, from, bytes);
  });
}
void fill_zero(const Launch& at, void* to, std::size_t bytes) {
  simt::submit(at.stream, "fill", [=] {
    const Opened opened;
    std::memset(to, 0, bytes);
  });
}
void synchronize(const Launch&) {
  simt::not_while_recording("synchronize");
}

/// A mark of the host's clock, and the time that was added to it for convolutions.
struct Mark {
  void* host;
  double added;
};

void* make_mark(const Launch& at) {
  return new Mark{cpu::make_mark(at), simt::seconds_of_convolutions()};
}
void wait_for(void*) {}
double seconds_between(void* first, void* second) {
  const auto *a = static_cast<Mark*>(first), *b = static_cast<Mark*>(second);
  return cpu::seconds_between(a->host, b->host) + b->added - a->added;
}
void release_mark(void* mark) noexcept {
  cpu::release_mark(static_cast<Mark*>(mark)->host);
  delete static_cast<Mark*>(mark);
}

bool available() noexcept {
  return true;
}
DeviceInfo device_info() {
  DeviceInfo info;
  const char* name = std::getenv("RETORT_EMULATED_NAME");
  info.name = name == nullptr ? "emulated device" : name;
  info.capability = "0.0";
  info.multiprocessors = 1;
  info.memory_bytes = DeviceMemory::kBytes;
  info.driver = info.runtime = info.cudnn = info.cublaslt = "none";
  return info;
}
std::optional<ConvolutionPlanReport> plan_fused_convolution(const FusedConvolution&, Precision, const std::string&) {
  fail(ErrorKind::device, "built without CUDA (plan_fused_convolution)");
}

}  // namespace retort::cuda
