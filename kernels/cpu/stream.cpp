#include "kernels/stream.h"

#include <cstdlib>
#include <new>

namespace retort::cpu {

void* make_stream() {
  return nullptr;
}
void release_stream(void*) noexcept {}
void order_after(const Launch&, const Launch&) {}

void* allocate_shared(std::size_t bytes) {
  void* pointer = std::calloc(1, bytes);
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}
void deallocate_shared(void* pointer) noexcept {
  std::free(pointer);
}

}  // namespace retort::cpu
