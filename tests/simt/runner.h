// Runs CUDA kernels on the host, one thread after another, and watches what they do.
//
// A kernel's source is compiled with the host compiler and -fsanitize=thread, against include/cuda_runtime.h in place
// of CUDA's header; the instrumentation reports every memory access to tsan_hooks.cpp, which stands in for the
// compiler's own runtime library. Each thread of a block is a fiber. It runs until a barrier or a warp operation, where
// it waits for the others. Every launch is run in several orders of blocks, warps and lanes, which have to give the
// same bytes.
//
// Not watched: memory that kernels reach through library functions such as memcpy of variable size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/simt/finding.h"

namespace simt {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};
struct Extent {
  unsigned x, y, z;
  Extent(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}  // NOLINT: as CUDA's dim3
  std::size_t count() const { return std::size_t{x} * y * z; }
};

constexpr int kWarpSize = 32;

/// In how many orders a launch runs; at first 3. The first is the natural one.
void set_orders(int orders);
/// Whether accesses are checked; at first they are.
void set_watching(bool watching);
/// Called before and after a launch's threads run: for memory that is closed to everybody else (emulated_device.cpp).
void set_gate(void (*open)(), void (*close)());

// ---- device memory ----

/// Bytes that kernels may use, 256-byte aligned, in a state of never having been written.
void* allocate(std::size_t bytes);
void release(void* pointer) noexcept;
/// Copies as the host; what arrives in device memory counts as written.
void copy(void* to, const void* from, std::size_t bytes);
void fill_zero(void* to, std::size_t bytes);

// ---- launching ----

/// Calls body() once a thread of every block. Throws Finding.
class Body {
 public:
  virtual void operator()() const = 0;

 protected:
  ~Body() = default;
};
void run(const char* name, Extent grid, Extent block, std::size_t dynamic_shared_bytes, const Body& body);

/// kernel<<<grid, block, dynamic_shared_bytes>>>(arguments...)
template <typename... Parameters, typename... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), Extent grid, Extent block,
            std::size_t dynamic_shared_bytes, Arguments... arguments) {
  const auto call = [=]() __attribute__((no_sanitize("thread"))) {
    kernel(static_cast<Parameters>(arguments)...);
  };
  struct Call final : Body {
    explicit Call(const decltype(call)& f) : function(f) {}
    __attribute__((no_sanitize("thread"))) void operator()() const override { function(); }
    const decltype(call)& function;
  };
  run(name, grid, block, dynamic_shared_bytes, Call(call));
}

// ---- what a running thread asks for ----

Index thread_index();
Index block_index();
Extent block_extent();
Extent grid_extent();
void* dynamic_shared();

/// The place is that of the barrier in the source.
void barrier(const char* file, int line);

/// All lanes of `mask` bring a value of up to eight bytes and see each other's.
class Exchange {
 public:
  /// Finding(not_allowed) when `width`, of a shuffle's segments, is none that CUDA has.
  Exchange(unsigned mask, const void* value, std::size_t bytes, const char* operation, int width = kWarpSize);
  int lane() const { return lane_; }
  bool has(int lane) const { return (mask_ >> lane & 1U) != 0; }
  /// Finding(divergent_warp) when the lane is not in the mask.
  void read(int lane, void* value, std::size_t bytes) const;

 private:
  unsigned mask_;
  int lane_;
  const std::uint64_t* values_;
  const void* site_;
  const char* operation_;
};

/// Finding(misaligned) where the address is not a multiple of `bytes`; compilers split wide accesses where they may.
void check_aligned(const void* address, std::size_t bytes);

// ---- copies that go on while the thread does (cp.async) ----

/// Begins to copy `from_bytes` of device memory, and zeros behind them, to `bytes` of shared memory. The copy is made
/// when it is waited for, as late as a GPU may; until then what is there counts as never written.
void begin_copy(void* to, const void* from, std::size_t bytes, std::size_t from_bytes);
/// Makes a group of the copies that this thread has begun since the last.
void commit_copies();
/// Waits for all of this thread's groups but the `pending` last ones.
void wait_for_copies(int pending);

/// Says that the running thread is about to change this memory atomically.
void note_atomic(void* address, std::size_t bytes, const void* site);
/// The same of a store, which does not depend on what was there before.
void note_atomic_store(void* address, std::size_t bytes, const void* site);
/// __threadfence()
void fence();

}  // namespace simt
