// The CUDA kernels, run by the SIMT runner, as one more backend of the kernel tests.
#include "tests/simt/backend.h"

#include <new>

#include "tests/simt/runner.h"

namespace retort::simt {

#define RETORT_DECLARE(space, kernel) decltype(::retort::cpu::kernel) kernel;
RETORT_EACH_KERNEL(RETORT_DECLARE, )
#undef RETORT_DECLARE

void* allocate(std::size_t bytes) {
  try {
    return ::simt::allocate(bytes);
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::memory, text("the SIMT runner cannot allocate ", bytes, " bytes"));
  }
}
void deallocate(void* pointer) noexcept {
  ::simt::release(pointer);
}
void copy_bytes(const Launch&, void* to, const void* from, std::size_t bytes) {
  ::simt::copy(to, from, bytes);
}
void fill_zero(const Launch&, void* to, std::size_t bytes) {
  ::simt::fill_zero(to, bytes);
}
void synchronize(const Launch&) {}

}  // namespace retort::simt

namespace retort::test {

const Backend& simt_backend() {
  static const Backend simt = [] {
    Backend backend;
    backend.name = "simt";
    backend.device = Device::cuda;
    backend.available = [] { return true; };
    backend.has_bf16 = [] { return true; };
    backend.rounds_between = true;
    RETORT_EACH_KERNEL(RETORT_ASSIGN, ::retort::simt)
    return backend;
  }();
  return simt;
}

namespace {
const bool registered = (backends().push_back(&simt_backend()), true);

}  // namespace
}  // namespace retort::test
