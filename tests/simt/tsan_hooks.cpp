// What `g++ -fsanitize=thread` calls before every memory access, here in place of the compiler's runtime library.
#include "tests/simt/watch.h"

#define SIMT_HOOK(name, bytes, kind)                                                      \
  void name(void* address) {                                                              \
    ::simt::watch(address, bytes, ::simt::AccessKind::kind, __builtin_return_address(0)); \
  }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
SIMT_HOOK(__tsan_read1, 1, read)
SIMT_HOOK(__tsan_read2, 2, read)
SIMT_HOOK(__tsan_read4, 4, read)
SIMT_HOOK(__tsan_read8, 8, read)
SIMT_HOOK(__tsan_read16, 16, read)
SIMT_HOOK(__tsan_write1, 1, write)
SIMT_HOOK(__tsan_write2, 2, write)
SIMT_HOOK(__tsan_write4, 4, write)
SIMT_HOOK(__tsan_write8, 8, write)
SIMT_HOOK(__tsan_write16, 16, write)
SIMT_HOOK(__tsan_unaligned_read2, 2, read)
SIMT_HOOK(__tsan_unaligned_read4, 4, read)
SIMT_HOOK(__tsan_unaligned_read8, 8, read)
SIMT_HOOK(__tsan_unaligned_read16, 16, read)
SIMT_HOOK(__tsan_unaligned_write2, 2, write)
SIMT_HOOK(__tsan_unaligned_write4, 4, write)
SIMT_HOOK(__tsan_unaligned_write8, 8, write)
SIMT_HOOK(__tsan_unaligned_write16, 16, write)
void __tsan_read_range(void* address, std::size_t bytes) {
  ::simt::watch(address, bytes, ::simt::AccessKind::read, __builtin_return_address(0), false);
}
void __tsan_write_range(void* address, std::size_t bytes) {
  ::simt::watch(address, bytes, ::simt::AccessKind::write, __builtin_return_address(0), false);
}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
}
